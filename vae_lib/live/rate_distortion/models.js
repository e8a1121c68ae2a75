// The trained models: what was measured for each, and what it makes of images and of noise.

import { alongDots } from "./along.js";
import { normals, sigmoid } from "../shared/maths.js";
import { nearestAmong } from "../shared/nearest.js";
import { unpackNetwork, unpackRows } from "../shared/network.js";

export function makeModels(state) {
  const { betas, rates, distortions } = state;
  const n = betas.length;
  if (!n || [rates, distortions, state.decoders, state.mu, state.logits].some((part) => part?.length !== n)) {
    throw new Error("there are not as many models as betas in the figure's state");
  }
  const decoders = state.decoders.map(unpackNetwork).map((net, i) => (z) => (state.logits[i] ? net(z).map(sigmoid) : net(z)));
  const codes = state.mu.map(unpackRows);
  const x = unpackRows(state.x).map((image) => Float64Array.from(image, (value) => value / state.x.steps));
  const nearest = state.real && nearestAmong(state.real);
  const totals = rates.map((rate, i) => (Math.round(100 * rate) + Math.round(100 * distortions[i])) / 100);
  const normal = normals(state.seed);
  let [eps, made] = [[], []]; // what was made already with these draws
  const renew = () => {
    eps = x.map(() => Float64Array.from(codes[0][0], normal));
    made = [];
  };
  renew();
  const make = (i) => {
    const reconstructions = codes[i].map(decoders[i]);
    const draws = eps.map(decoders[i]);
    return {
      beta: betas[i],
      rate: rates[i],
      distortion: distortions[i],
      total: totals[i],
      reconstructions,
      draws,
      errors: reconstructions.map((image, k) => Math.hypot(...image.map((value, d) => value - x[k][d]))),
      nearest: nearest && draws.map(nearest),
    };
  };
  const at = (i) => (made[i] ??= make(i));
  const best = totals.indexOf(Math.min(...totals));
  return { x, totals, best, at, renew, eps: () => eps, compares: Boolean(nearest), along: (axes) => alongDots(axes, rates, distortions) };
}

