// TensorFlow.js as the oracle of the Keras importer: reads cases from standard
// input, one JSON object a line, and answers with the outputs of each.
import readline from "node:readline";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const tf = require("@tensorflow/tfjs");

const flat = (t) => ({ shape: t.shape, data: Array.from(t.dataSync()) });

async function run({ topology, weights, inputs }) {
  const model = await tf.loadLayersModel({ load: async () => ({ modelTopology: topology }) });
  for (const [name, list] of Object.entries(weights)) {
    if (list.length) model.getLayer(name).setWeights(list.map((w) => tf.tensor(w.data, w.shape)));
  }
  const given = inputs.map((x) => tf.tensor(x.data, x.shape));
  const out = model.predict(given.length === 1 ? given[0] : given);
  return (Array.isArray(out) ? out : [out]).map(flat);
}

await tf.setBackend("cpu");
for await (const line of readline.createInterface({ input: process.stdin })) {
  const c = JSON.parse(line);
  try {
    console.log(JSON.stringify({ name: c.name, outputs: await run(c) }));
  } catch (e) {
    console.log(JSON.stringify({ name: c.name, error: String(e.message || e) }));
  }
}
