'use strict';

// Every text of the page, once per language.
const texts = {
  en: {
    inputs: 'Inputs', outputs: 'Outputs', request: 'Request body', send: 'Send',
    copy: 'Copy curl', copied: 'copied', curl: 'curl', other: '中文',
    ready: 'ready', notReady: 'not ready', none: 'No model is loaded.',
    batched: 'batched', alone: 'one request per run', optional: 'optional',
    large: 'This input is too large for an example here: send it with curl, best as a binary tensor.',
    failed: 'the server did not answer',
  },
  zh: {
    inputs: '输入', outputs: '输出', request: '请求内容', send: '发送',
    copy: '复制 curl', copied: '已复制', curl: 'curl 命令', other: 'English',
    ready: '就绪', notReady: '未就绪', none: '没有已加载的模型。',
    batched: '可合批', alone: '逐个运行', optional: '可选',
    large: '该输入过大，无法在此显示示例：请用 curl 发送，最好使用二进制张量。',
    failed: '服务器没有应答',
  },
};

let language = (localStorage.getItem('language') || navigator.language || 'en').startsWith('zh') ? 'zh' : 'en';
const text = (key) => texts[language][key];

function fillTable(table, rows) {
  table.replaceChildren();
  for (const row of rows) {
    const tr = table.insertRow();
    for (const cell of [row.name, row.type, row.type.includes('object') ? '' : row.shape, row.optional ? text('optional') : ''])
      tr.insertCell().textContent = cell;
  }
}

function curlLine(path, body) {
  const quoted = body.replaceAll("'", "'\\''");
  return `curl -s ${location.origin}${path} \\\n  -H 'Content-Type: application/json' \\\n  -d '${quoted}'`;
}

async function send(model, view) {
  const status = view.querySelector('.status');
  const answer = view.querySelector('.answer');
  const began = performance.now();
  status.textContent = '…';
  status.className = 'status';
  try {
    const reply = await fetch(model.path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: view.querySelector('.body').value,
    });
    const body = await reply.text();
    const took = (performance.now() - began).toFixed(1);
    status.textContent = `${reply.status} · ${took} ms`;
    status.classList.add(reply.ok ? 'good' : 'bad');
    answer.textContent = body;
  } catch (error) {
    status.textContent = text('failed');
    status.classList.add('bad');
    answer.textContent = String(error);
  }
  answer.hidden = false;
}

function show(model) {
  const view = document.getElementById('model').content.cloneNode(true).firstElementChild;
  view.id = `model-${model.name}`;
  view.querySelector('.name').textContent = model.name;
  for (const e of view.querySelectorAll('[data-text]')) e.textContent = text(e.dataset.text);
  if (model.state !== 'READY') {
    const reason = view.querySelector('.reason');
    reason.textContent = `${model.state}: ${model.reason}`;
    reason.hidden = false;
    for (const e of view.querySelectorAll('.tables, label, .buttons, details, h3')) e.hidden = true;
    return view;
  }
  view.querySelector('.facts').textContent =
    `v${model.version} · ${model.device} · ${model.batchable ? text('batched') : text('alone')}`;
  fillTable(view.querySelector('.inputs'), model.inputs);
  fillTable(view.querySelector('.outputs'), model.outputs);
  view.querySelector('.path').textContent = `POST ${model.path}`;
  const body = view.querySelector('.body');
  const curl = view.querySelector('.curl');
  const update = () => { curl.textContent = curlLine(model.path, body.value); };
  if (model.example === undefined) body.placeholder = text('large');
  else body.value = model.example;
  body.addEventListener('input', update);
  update();
  view.querySelector('.send').addEventListener('click', () => send(model, view));
  view.querySelector('.copy').addEventListener('click', async () => {
    await navigator.clipboard.writeText(curl.textContent);
    view.querySelector('.status').textContent = text('copied');
  });
  return view;
}

async function refresh() {
  const main = document.getElementById('models');
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  document.getElementById('language').textContent = text('other');
  const ready = await fetch('/readyz');
  document.getElementById('ready').textContent = text(ready.ok ? 'ready' : 'notReady');
  const data = await (await fetch('/docs/models.json')).json();
  document.getElementById('version').textContent = data.version;
  main.replaceChildren(...data.models.map(show));
  if (data.models.length === 0) main.textContent = text('none');
}

document.getElementById('language').addEventListener('click', () => {
  language = language === 'zh' ? 'en' : 'zh';
  localStorage.setItem('language', language);
  refresh();
});
refresh();
