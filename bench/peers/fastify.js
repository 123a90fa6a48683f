// fastify with onnxruntime-node, one process: node fastify.js MODEL PORT
'use strict';
const ort = require('onnxruntime-node');
const app = require('fastify')({ logger: false, bodyLimit: 64 << 20 });

(async () => {
  const session = await ort.InferenceSession.create(process.argv[2], { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const [input] = session.inputNames;
  const [output] = session.outputNames;
  app.post('/predict', async (request) => {
    const dims = [];
    for (let v = request.body; Array.isArray(v); v = v[0]) dims.push(v.length);
    const data = Float32Array.from(request.body.flat(Infinity));
    const result = (await session.run({ [input]: new ort.Tensor('float32', data, dims) }))[output];
    const rows = [];
    const width = result.data.length / dims[0];
    for (let i = 0; i < dims[0]; i++) rows.push(Array.from(result.data.subarray(i * width, (i + 1) * width)));
    return { predict_result: rows };
  });
  await app.listen({ port: Number(process.argv[3]), host: '127.0.0.1' });
})();
