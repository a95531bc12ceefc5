import { Loader } from '@mantine/core'

export default function CasesPage() {
  return <Loader m="xl" />
}
