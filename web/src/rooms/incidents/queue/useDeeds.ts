/** The steps of handling one alert, by button and by key; the server's answer decides what is shown next. */
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { useAlertStep } from '../../../api/response'
import type { Alert, AlertStep, CloseReason } from '../../../api/wire'
import { choicesOf, type Choices, type Me } from './model'

export interface Deeds {
  choices: Choices
  /** The step on its way to the server. */
  pending: AlertStep['step'] | null
  error: unknown
  isClosing: boolean
  setClosing: (isClosing: boolean) => void
  next: () => void
  close: (reason: CloseReason) => void
  escalate: () => void
  release: () => void
}

export function useDeeds(alert: Alert, me: Me, onDecided: (id: string) => void): Deeds {
  const navigate = useNavigate()
  const step = useAlertStep()
  const [isClosing, setClosing] = useState(false)
  const choices = choicesOf(alert, me)
  const isBusy = step.isPending
  const isOfThis = step.variables?.id === alert.id

  const take = (name: AlertStep['step'], reason: CloseReason | null = null) => {
    if (isBusy) return
    setClosing(false)
    step.mutate({ id: alert.id, step: name, version: alert.version, reason }, {
      onSuccess: ({ incident }) => {
        if (name === 'confirm' && incident !== null) void navigate(`/incidents/${encodeURIComponent(incident)}`)
        else if (name === 'close') onDecided(alert.id)
      },
    })
  }
  return {
    choices,
    pending: isBusy && isOfThis ? (step.variables?.step ?? null) : null,
    error: step.isError && isOfThis ? step.error : null,
    isClosing: isClosing && choices.mayDecide,
    setClosing,
    next: () => choices.next !== null && take(choices.next),
    close: (reason) => take('close', reason),
    escalate: () => choices.mayEscalate && take('escalate'),
    release: () => choices.mayRelease && take('release'),
  }
}
