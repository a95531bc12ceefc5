import { Loader } from '@mantine/core'

export default function QueuePage() {
  return <Loader m="xl" />
}
