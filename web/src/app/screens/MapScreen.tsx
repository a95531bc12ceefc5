import MapPage from '../../rooms/sites/MapPage'
import { HeadSwitch } from '../../rooms/video/head/HeadSwitch'
import { LiveTile } from '../../rooms/video/LiveTile'
import { SceneSwitch } from '../../rooms/video/scene/SceneSwitch'
import { SceneOverlay } from '../../rooms/video/scene/SceneOverlay'
import { useSceneShown } from '../../rooms/video/scene/useSceneShown'

/** A camera's live picture with what is watched on it. */
function Picture({ camera }: { camera: string }) {
  const scene = useSceneShown()
  return <LiveTile camera={camera} over={scene.isShown ? <SceneOverlay camera={camera} /> : null} tools={<><HeadSwitch camera={camera} /><SceneSwitch {...scene} /></>} />
}

const picture = (camera: string) => <Picture camera={camera} />

/** The map, with the pictures of the video room. */
export default function MapScreen() {
  return <MapPage picture={picture} />
}
