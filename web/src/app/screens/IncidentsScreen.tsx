import IncidentsPage from '../../rooms/incidents/IncidentsPage'

export default function IncidentsScreen() {
  return <IncidentsPage />
}
