/** The city of this installation, without the product's own name before it: the bar already says that. */
export function cityName(name: string, app: string): string {
  return name.startsWith(app) ? name.slice(app.length).replace(/^[\s·:–-]+/, '') || name : name
}
