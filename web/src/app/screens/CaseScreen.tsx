import { useCaseExported } from '../../api/cases'
import { useMay } from '../../api/queries'
import type { CaseClip, CaseDetail } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { lastExport, reasonOf, stillOf } from '../../rooms/cases/case/evidence'
import CasePage, { type CaseSlots } from '../../rooms/cases/CasePage'
import { EvidenceExport } from '../../rooms/video/evidence/EvidenceExport'
import { EvidencePlayer } from '../../rooms/video/evidence/EvidencePlayer'

interface ClipProps {
  clip: CaseClip
  detail: CaseDetail
  isFirst: boolean
}

const rangeOf = ({ from, to }: CaseClip) => ({ from: Date.parse(from), to: Date.parse(to) })

function Player({ clip, detail: { incident }, isFirst }: ClipProps) {
  const { t, pick } = useI18n()
  const alt = `${t('case.clips')}: ${pick({ name: incident.title, name_ur: incident.title_ur })}`
  return <EvidencePlayer clip={{ camera: clip.camera, ...rangeOf(clip), stillAt: stillOf(clip, incident), alt }} chord={isFirst ? 'p' : undefined} />
}

function Export({ clip, detail, isFirst }: ClipProps) {
  const { t } = useI18n()
  const [mayExport, mayWrite] = [useMay('export_clip'), useMay('handle_cases')]
  const tell = useCaseExported(detail.case.id)
  const refusal = !mayExport || !mayWrite ? t('case.export.role') : detail.case.state === 'closed' ? t('case.export.closed') : null
  return (
    <EvidenceExport
      camera={clip.camera}
      range={rangeOf(clip)}
      reason={reasonOf(detail.case)}
      last={lastExport(clip, detail.steps)}
      refusal={refusal}
      onExported={tell.mutateAsync}
      chord={isFirst ? 'e' : undefined}
    />
  )
}

const slots: CaseSlots = {
  player: (clip, detail, isFirst) => <Player clip={clip} detail={detail} isFirst={isFirst} />,
  export: (clip, detail, isFirst) => <Export clip={clip} detail={detail} isFirst={isFirst} />,
}

/** A case with its clips as pictures and as files. */
export default function CaseScreen() {
  return <CasePage slots={slots} />
}
