import { DemoFaults } from '../../rooms/sites/DemoFaults'
import WallPage from '../../rooms/video/WallPage'

const tools = (camera: string) => <DemoFaults camera={camera} compact />

/** The wall; in a demo each tile can be broken on purpose. */
export default function WallScreen() {
  return <WallPage tools={tools} />
}
