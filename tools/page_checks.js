// Looks at the page as drawn: text that is cut off or leaves the window, and text whose contrast is below WCAG 2.2 AA.
// Returns a list of sentences; empty when all is well.
() => {
  const problems = [];
  const parse = (text) => {
    const found = text.match(/rgba?\(([^)]+)\)/);
    if (!found) return null;
    const [r, g, b, a = 1] = found[1].split(/[,/ ]+/).filter(Boolean).map(Number);
    return { r, g, b, a };
  };
  const over = (top, under) => ({
    r: top.r * top.a + under.r * (1 - top.a),
    g: top.g * top.a + under.g * (1 - top.a),
    b: top.b * top.a + under.b * (1 - top.a),
    a: 1,
  });
  const luminance = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((v) => {
      const s = v / 255;
      return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ratio = (a, b) => {
    const [hi, lo] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (hi + 0.05) / (lo + 0.05);
  };
  const backgroundOf = (element) => {
    const layers = [];
    for (let node = element; node; node = node.parentElement) {
      const style = getComputedStyle(node);
      if (style.backgroundImage !== 'none') return null; // drawn on a picture: judged by eye
      if (node.querySelector?.(':scope > video, :scope > canvas')) return null;
      const colour = parse(style.backgroundColor);
      if (colour && colour.a > 0) layers.push(colour);
      if (colour && colour.a === 1) break;
    }
    return layers.reverse().reduce((under, top) => over(top, under), { r: 255, g: 255, b: 255, a: 1 });
  };
  const opacityOf = (element) => {
    let opacity = 1;
    for (let node = element; node; node = node.parentElement) opacity *= Number(getComputedStyle(node).opacity);
    return opacity;
  };
  const isSeen = (element) => {
    const box = element.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) return false; // for screen readers only
    const { clipPath, clip } = getComputedStyle(element);
    if (clipPath !== 'none' || clip !== 'auto') return false;
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return false;
    return !element.closest('[aria-hidden="true"], [inert], .maplibregl-canvas');
  };
  const scrolls = (element, axis) => {
    for (let node = element; node && node !== document.body; node = node.parentElement) {
      if (/auto|scroll/.test(getComputedStyle(node)[axis])) return true;
    }
    return false;
  };
  for (const element of document.body.querySelectorAll('*')) {
    const text = [...element.childNodes].filter((n) => n.nodeType === 3 && n.textContent.trim());
    if (!text.length || !isSeen(element)) continue;
    const words = element.textContent.trim().slice(0, 60);
    const style = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    const hides = /hidden|clip/.test(style.overflowX);
    if (hides && element.scrollWidth > element.clientWidth + 1 && style.textOverflow !== 'ellipsis') {
      problems.push(`cut off: "${words}" (${element.scrollWidth} px in ${element.clientWidth} px)`);
    }
    if (/hidden|clip/.test(style.overflowY) && element.scrollHeight > element.clientHeight + 4 && style.webkitLineClamp === 'none') {
      problems.push(`cut off in height: "${words}"`);
    }
    if ((box.right > innerWidth + 1 || box.left < -1) && !scrolls(element, 'overflowX')) {
      problems.push(`leaves the window: "${words}" (${Math.round(box.left)}..${Math.round(box.right)} of ${innerWidth})`);
    }
    const colour = parse(style.color);
    const background = backgroundOf(element);
    const isOff = element.closest('[disabled], [data-disabled], [aria-disabled="true"]');
    if (colour && background && !isOff) {
      const drawn = over({ ...colour, a: colour.a * opacityOf(element) }, background);
      const size = parseFloat(style.fontSize);
      const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
      const found = ratio(drawn, background);
      if (found < (isLarge ? 3 : 4.5) - 0.02) problems.push(`contrast ${found.toFixed(2)}: "${words}" (${style.color})`);
    }
  }
  if (document.documentElement.scrollWidth > innerWidth + 1) {
    problems.push(`the page is ${document.documentElement.scrollWidth} px wide in a window of ${innerWidth}`);
  }
  return [...new Set(problems)];
}
