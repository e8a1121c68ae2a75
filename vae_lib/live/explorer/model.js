// The trained VAE: both networks, and the randomness of the draws.

import { normals, sigmoid, uniforms } from "../shared/maths.js";
import { nearestAmong } from "../shared/nearest.js";
import { asGaussian, unpackNetwork, unpackRows } from "../shared/network.js";

// Both networks with what randomness is left, until new draws are asked for: while z moves,
// nothing else does.
export function makeModel(state) {
  const [encode, logits] = [unpackNetwork(state.encoder), unpackNetwork(state.decoder)];
  const binary = (grey) => grey.map((value) => (value > state.threshold ? 1 : 0));
  const posterior = (x) => asGaussian(encode(x), state.log_var_range);
  const mean = (z) => logits(z).map(sigmoid);
  const drawn = (p, us) => p.map((value, i) => (us[i] < value ? 1 : 0));
  const [normal, uniform] = [normals(state.seed), uniforms(state.seed + 1)];
  const noise = { eps: [0, 0], for_z: [], for_drawing: [] };
  const renew = () => {
    noise.eps = [normal(), normal()];
    noise.for_z = Array.from({ length: encode.n_in }, uniform);
    noise.for_drawing = Array.from({ length: encode.n_in }, uniform);
  };
  renew();
  const at = (z) => {
    const p = mean(z);
    return { mean: p, draw: drawn(p, noise.for_z) };
  };
  // What a drawing becomes: its binary image, its q(z | x), and a draw from there.
  const ofDrawing = (grey) => {
    if (!grey) return null;
    const x = binary(grey);
    const q = posterior(x);
    const z = q.mu.map((mu, i) => mu + q.sigma[i] * noise.eps[i]);
    return { grey, x, ...q, z, reconstruction: mean(q.mu), resampled: drawn(mean(z), noise.for_drawing) };
  };
  const ends = unpackRows(state.images).map((image) => posterior(binary(image)).mu);
  const nearest = state.real && nearestAmong(state.real);
  return { renew, at, ofDrawing, ends, nearest };
}
