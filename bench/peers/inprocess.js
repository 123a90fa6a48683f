// The same runtime without a server: runs a model in a loop for SECONDS and
// prints runs per second. node inprocess.js MODEL INPUT C,H,W SECONDS
const ort = require("onnxruntime-node");

async function main() {
  const [model, name, shape, seconds] = process.argv.slice(2);
  const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const dims = [1, ...shape.split(",").map(Number)];
  const data = new Float32Array(dims.reduce((a, b) => a * b)).map(() => Math.random());
  const run = () => session.run({ [name]: new ort.Tensor("float32", data, dims) });
  for (let i = 0; i < 5; i++) await run();
  const from = process.hrtime.bigint();
  let n = 0;
  let took = 0;
  do {
    await run();
    n++;
    took = Number(process.hrtime.bigint() - from) / 1e9;
  } while (took < Number(seconds));
  console.log((n / took).toFixed(2));
}

main();
