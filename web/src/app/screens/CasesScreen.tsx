import CasesPage from '../../rooms/cases/CasesPage'

export default function CasesScreen() {
  return <CasesPage />
}
