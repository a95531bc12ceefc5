import CasePage from '../../rooms/cases/CasePage'

export default function CaseScreen() {
  return <CasePage />
}
