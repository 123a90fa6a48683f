// Every text of the console, once per language; a value may be a function.

export const texts = {
  en: {
    other: '中文', skip: 'To the content', menu: 'Pages', dark: 'Dark', light: 'Light', offline: 'The monitor does not answer. What you see is old; it is asked again all the time.',
    overview: 'Overview', service: 'Service', gpu: 'GPUs', host: 'Machine', alerts: 'Alerts', explore: 'Explore', targets: 'Targets', rules: 'Rules', logs: 'Logs',
    s: 's', min: 'min', h: 'h', d: 'd', ago: (t) => `${t} ago`, lasts: (t) => `for ${t}`,
    range: 'Range', all: 'all', noData: 'no data', loading: '…', instance: 'Instance', model: 'Model', failed: 'This could not be had:',
    fine: 'Everything is fine', fineNote: (n) => `${n} rules are watched, none of them fires.`,
    wrong: (n) => (n === 1 ? '1 alert is firing' : `${n} alerts are firing`), pendingNote: (n) => (n === 1 ? '1 alert may fire soon.' : `${n} alerts may fire soon.`),
    moreOf: (n, name) => `${n} more: ${name}`,
    noRules: 'No rules are watched', noRulesNote: 'The monitor was started with --no-built-in-rules and without --rules.',
    whatToDo: 'What to do', value: 'Value', silence: 'Silence', silenceFor: 'Silence for', cancel: 'Cancel',
    inhibitedBy: 'muted by another alert', firing: 'firing', pending: 'pending', suppressed: 'silenced', inactive: 'inactive', critical: 'critical', warning: 'warning',
    silences: 'Silences', history: 'The last 24 hours', expire: 'End now', until: 'Until', by: 'By', comment: 'Why', matchers: 'What',
    noAlerts: 'No alert is firing or pending.', noSilences: 'Nothing is silenced.', noHistory: 'No alert fired.', silenceComment: 'silenced in the console', alert: 'Alert', began: 'Began', lasted: 'Lasted', still: 'still firing',
    targets_down: 'Targets down', requests_per_second: 'Requests', success_ratio: 'Success rate', latency_p50_seconds: 'Latency, median', latency_p95_seconds: 'Latency, 95 %',
    waiting_requests: 'Waiting requests', cpu_ratio: 'Processors', memory_available_bytes: 'Memory available', disk_free_ratio: 'Disk free',
    utilisation: 'Utilisation', memory: 'Memory', temperature: 'Temperature', power: 'Power', processes: 'Processes', process: 'Process', pid: 'PID', events: 'Events of the last 24 hours', event: 'Event', count: 'Count',
    noGpus: 'No GPU was found. NVIDIA GPUs are read through the library of their driver; see docs/manual/gpu.md.', noProcesses: 'No process uses a GPU.', noEvents: 'No XID errors, nothing lost.', lost: 'does not answer', throttled: 'clocks are low', error: 'error',
    noService: 'No service is scraped. Start one with: stoker serve model.onnx', waiting: 'Waiting', meanWait: 'Mean wait', meanRun: 'Mean run', meanRows: 'Rows per run',
    query: 'PromQL query', run: 'Run', graph: 'Graph', table: 'Table', metric: 'Series', series: (n) => (n === 1 ? '1 series' : `${n} series`), took: (ms) => `${ms} ms`, tooMany: (n) => `only the first ${n} are drawn`, suggestions: 'Suggestions', empty: 'The query has no result.', functionWord: 'function', metricWord: 'metric', labelWord: 'label', valueWord: 'value', keyword: 'keyword',
    state: 'State', url: 'URL', labels: 'Labels', lastScrape: 'Last scrape', duration: 'Duration', why: 'Error', up: 'up', down: 'down', unknown: 'unknown', noTargets: 'Nothing is scraped.', ofBackups: 'the backups', ofDoctor: 'the doctor', ofGpus: 'the GPUs', ofMachine: 'this machine',
    rule: 'Rule', lastEvaluation: 'Last evaluation', ok: 'ok', err: 'error', every: (t) => `every ${t}`, showFiring: 'Only those that fire',
    level: 'Level', requestId: 'Request id', contains: 'Contains', follow: 'Follow', noLines: 'No line matches.', logsNote: (n) => `${n} lines`, dropped: (n) => `${n} lines came faster than they could be kept.`,
     },
  zh: {
    other: 'English', skip: '跳到内容', menu: '页面', dark: '深色', light: '浅色', offline: '监控没有应答。当前显示的是旧数据，正在不断重试。',
    overview: '总览', service: '服务', gpu: 'GPU', host: '主机', alerts: '告警', explore: '查询', targets: '目标', rules: '规则', logs: '日志',
    s: '秒', min: '分', h: '小时', d: '天', ago: (t) => `${t}前`, lasts: (t) => `已持续 ${t}`,
    range: '时间范围', all: '全部', noData: '没有数据', loading: '…', instance: '实例', model: '模型', failed: '无法获取：',
    fine: '一切正常', fineNote: (n) => `正在检查 ${n} 条规则，没有告警。`,
    wrong: (n) => `${n} 条告警正在触发`, pendingNote: (n) => `${n} 条告警可能即将触发。`,
    moreOf: (n, name) => `另有 ${n} 条：${name}`,
    noRules: '没有任何规则', noRulesNote: '监控以 --no-built-in-rules 启动，且没有 --rules。',
    whatToDo: '处理方法', value: '数值', silence: '静默', silenceFor: '静默时长', cancel: '取消',
    inhibitedBy: '被其他告警抑制', firing: '触发中', pending: '待定', suppressed: '已静默', inactive: '未触发', critical: '严重', warning: '警告',
    silences: '静默', history: '最近 24 小时', expire: '立即结束', until: '截止', by: '创建者', comment: '原因', matchers: '范围',
    noAlerts: '没有触发中或待定的告警。', noSilences: '没有静默。', noHistory: '没有触发过告警。', silenceComment: '在控制台静默', alert: '告警', began: '开始', lasted: '持续', still: '仍在触发',
    targets_down: '离线目标', requests_per_second: '请求数', success_ratio: '成功率', latency_p50_seconds: '延迟（中位数）', latency_p95_seconds: '延迟（95%）',
    waiting_requests: '排队请求', cpu_ratio: '处理器', memory_available_bytes: '可用内存', disk_free_ratio: '磁盘剩余',
    utilisation: '利用率', memory: '显存', temperature: '温度', power: '功率', processes: '进程', process: '进程', pid: 'PID', events: '最近 24 小时的事件', event: '事件', count: '次数',
    noGpus: '没有找到 GPU。NVIDIA GPU 通过驱动自带的库读取，见 docs/manual/gpu.md。', noProcesses: '没有进程使用 GPU。', noEvents: '没有 XID 错误，没有掉卡。', lost: '没有响应', throttled: '已降频', error: '错误',
    noService: '没有采集任何服务。启动服务：stoker serve model.onnx', waiting: '排队', meanWait: '平均等待', meanRun: '平均运行', meanRows: '平均批大小',
    query: 'PromQL 查询', run: '执行', graph: '图表', table: '表格', metric: '序列', series: (n) => `${n} 条序列`, took: (ms) => `${ms} 毫秒`, tooMany: (n) => `仅绘制前 ${n} 条`, suggestions: '补全建议', empty: '查询没有结果。', functionWord: '函数', metricWord: '指标', labelWord: '标签', valueWord: '值', keyword: '关键字',
    state: '状态', url: '地址', labels: '标签', lastScrape: '上次采集', duration: '耗时', why: '错误', up: '在线', down: '离线', unknown: '未知', noTargets: '没有采集任何目标。', ofBackups: '备份目录', ofDoctor: '体检', ofGpus: '本机 GPU', ofMachine: '本机',
    rule: '规则', lastEvaluation: '上次计算', ok: '正常', err: '错误', every: (t) => `每 ${t}`, showFiring: '仅触发中',
    level: '级别', requestId: '请求 ID', contains: '包含', follow: '跟随', noLines: '没有匹配的日志。', logsNote: (n) => `${n} 行`, dropped: (n) => `有 ${n} 行来得太快，未能保留。`,
     },
};

const wanted = () => {
  try { return localStorage.getItem('language') || navigator.language || 'en'; } catch { return navigator.language || 'en'; }
};
let language = wanted().startsWith('zh') ? 'zh' : 'en';

export const text = (key) => texts[language][key] ?? key;
export const chinese = () => language === 'zh';
export const locale = () => (chinese() ? 'zh-CN' : 'en-GB');

export function switchLanguage() {
  language = chinese() ? 'en' : 'zh';
  remember('language', language);
}

/** Browsers may refuse to keep anything. */
export function remember(key, value) {
  try { localStorage.setItem(key, value); } catch { /* then it is forgotten */ }
}
export function remembered(key) {
  try { return localStorage.getItem(key); } catch { return null; }
}
