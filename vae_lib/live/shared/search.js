// What the text asks a reader to find is not marked before it is found.

const REST_MS = 600; // who only passes by has found nothing

// knows(key) says whether something has been found: there, or at `enough` places, and then everywhere.
// moved() is told of every move; where a reader then rests and isThere() holds, key() is found.
// reveal() is for who would rather be shown.
export function search(frame, { key = () => "it", isThere, enough = 1 }) {
  const found = new Set();
  let callOff = () => {};
  const reveal = () => {
    callOff();
    found.add(key());
    frame.request();
  };
  const moved = () => {
    callOff();
    callOff = frame.later(() => isThere() && reveal(), REST_MS);
  };
  return { knows: (place) => found.has(place) || found.size >= enough, moved, reveal };
}
