import { Loader } from '@mantine/core'

export default function CasePage() {
  return <Loader m="xl" />
}
