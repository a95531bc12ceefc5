import { DemoFaults } from '../../rooms/sites/DemoFaults'
import { HeadSwitch } from '../../rooms/video/head/HeadSwitch'
import WallPage from '../../rooms/video/WallPage'

const tools = (camera: string) => (
  <>
    <HeadSwitch camera={camera} />
    <DemoFaults camera={camera} compact />
  </>
)

/** The wall: cameras that turn are steered on it; in a demo each tile can be broken on purpose. */
export default function WallScreen() {
  return <WallPage tools={tools} />
}
