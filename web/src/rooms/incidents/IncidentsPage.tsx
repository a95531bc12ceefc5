import { Loader } from '@mantine/core'

export default function IncidentsPage() {
  return <Loader m="xl" />
}
