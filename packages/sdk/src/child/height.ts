// How tall the page is, told at most every FRAME_MS, and only when it changed.
import { FRAME_MS, readHeight } from "../protocol.ts";

export function reportHeight(tell: (height: number) => void): void {
  const root = document.documentElement;
  let last = -1;
  let due: ReturnType<typeof setTimeout> | undefined;
  const measure = (): void => {
    due = undefined;
    const height = readHeight(root.getBoundingClientRect().height) ?? 0;
    if (height === last) return;
    last = height;
    tell(height);
    due = setTimeout(measure, FRAME_MS);
  };
  new ResizeObserver(() => (due ??= setTimeout(measure, 0))).observe(root);
  measure();
}
