export default function PlaybackPage() {
  return null
}
