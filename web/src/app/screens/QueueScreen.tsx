import QueuePage from '../../rooms/incidents/QueuePage'

/** The queue with pictures of the video room. */
export default function QueueScreen() {
  return <QueuePage />
}
