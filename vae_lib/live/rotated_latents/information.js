// What single dimensions know of factors: mutual information from counts, as in
// vae_lib.evaluation.factor_information.

const entropyOf = (counts, n) => {
  let total = 0;
  for (const count of counts) if (count > 0) total -= (count / n) * Math.log(count / n);
  return total;
};

// For factors, [[value of each example], ...], a function of the codes: [[I(z_l; v_f) / H(v_f) for
// each dimension l] for each factor f], with as many examples in each of n_bins bins.
export function information(factors, n_bins) {
  const n = factors[0].length;
  const order = Array.from({ length: n }, (_, i) => i);
  const bins = new Int32Array(n);
  const n_values = factors.map((values) => 1 + Math.max(...values));
  const entropies = factors.map((values, f) => {
    const counts = new Float64Array(n_values[f]);
    for (const value of values) counts[value] += 1;
    return entropyOf(counts, n);
  });
  const binsOf = (column) => {
    order.sort((a, b) => column[a] - column[b]);
    order.forEach((i, rank) => (bins[i] = Math.floor(((rank + 0.5) / n) * n_bins)));
    const counts = new Float64Array(n_bins);
    for (const bin of bins) counts[bin] += 1;
    return entropyOf(counts, n);
  };
  return (codes) => {
    const shares = factors.map(() => []);
    for (const l of [0, 1]) {
      const entropy = binsOf(codes.map((code) => code[l]));
      factors.forEach((values, f) => {
        const joint = new Float64Array(n_bins * n_values[f]);
        values.forEach((value, i) => (joint[bins[i] * n_values[f] + value] += 1));
        shares[f].push(Math.max(entropy + entropies[f] - entropyOf(joint, n), 0) / entropies[f]);
      });
    }
    return shares;
  };
}

// The gap of one factor: the larger of two shares less the smaller.
export const ranked = ([a, b]) => Math.abs(a - b);
