import { Loader } from '@mantine/core'

export default function IncidentPage() {
  return <Loader m="xl" />
}
