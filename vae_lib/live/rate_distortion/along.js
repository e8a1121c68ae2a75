// The dots of a curve as the only places where a handle can be.

const TAKEN_ALONG = 12; // pixels towards a neighbour, after which the handle is there

// The axes as such a handle sees them: its x counts the dots, from the last one. A pointer takes it to
// the nearest dot; and where that is the dot on which it was put down, to the one that it moves towards.
export function alongDots(axes, xs, ys) {
  const places = xs.map((x, i) => [axes.px(x), axes.py(ys[i])]).reverse();
  const down = { dot: 0, u: 0, v: 0 };
  const at = (event) => {
    const { x, y } = axes.at(event);
    const [u, v] = [axes.px(x), axes.py(y)];
    const far = places.map(([a, b]) => Math.hypot(a - u, b - v));
    const nearest = far.indexOf(Math.min(...far));
    if (event.type === "pointerdown") Object.assign(down, { dot: nearest, u, v });
    const moved = nearest === down.dot ? towards(places, down, [u - down.u, v - down.v]) : undefined;
    return { x: moved ?? nearest, y: 0 };
  };
  let place = places[0];
  const px = (i) => {
    place = places[Math.round(i)];
    return place[0];
  };
  return { ...axes, x: [0, places.length - 1], y: [0, 0], px, py: () => place[1], at };
}

// The neighbour of a dot towards which a pointer has moved far enough, if there is one.
function towards(places, { dot }, [du, dv]) {
  const [u, v] = places[dot];
  return [dot - 1, dot + 1].find((next) => {
    const [a, b] = places[next] ?? [u, v];
    const far = Math.hypot(a - u, b - v);
    return far > TAKEN_ALONG && (du * (a - u) + dv * (b - v)) / far > TAKEN_ALONG;
  });
}
