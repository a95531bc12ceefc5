import { Component, type ReactNode } from 'react'
import { ErrorNotice } from '../ui/ErrorNotice'

interface CrashState {
  error: Error | null
}

/** A page that fails says so, instead of leaving the screen empty; "try again" draws it anew. */
export class Crash extends Component<{ children: ReactNode }, CrashState> {
  override state: CrashState = { error: null }

  static getDerivedStateFromError(error: Error): CrashState {
    return { error }
  }

  override render(): ReactNode {
    const { error } = this.state
    if (error === null) return this.props.children
    return <ErrorNotice error={error} onRetry={() => this.setState({ error: null })} />
  }
}
