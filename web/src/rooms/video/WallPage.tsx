export default function WallPage() {
  return null
}
