import IncidentPage from '../../rooms/incidents/IncidentPage'

export default function IncidentScreen() {
  return <IncidentPage />
}
