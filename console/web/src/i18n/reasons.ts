// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Why a camera is offline or degraded, or the shared index not as it should be, in Chinese. The site says
// it in English (the table of reasons in ingest/session.c, find_reason() in app/strays.c, the sentences at
// the top of app/feeder.c); a test makes sure that none of them is missing here.

const chinese: Record<string, string> = {
  'user name or password refused; check both, and that the camera takes digest or basic logins':
    '用户名或密码被拒绝；请核对，并确认摄像机接受摘要认证或基本认证',
  'nobody listens at that address; check host and port': '该地址没有服务；请核对主机和端口',
  'the camera has no such stream; check the path in its URL': '摄像机没有这个码流；请核对地址中的路径',
  "no H.264 or H.265 video in the stream; change the camera's encoding": '码流中没有 H.264 或 H.265 视频；请更改摄像机的编码',
  'connected, but no pictures come; check the camera and its network': '已连接但没有画面；请检查摄像机及其网络',
  stopped: '已停止',
  'the camera ended the stream': '摄像机结束了码流',
  'the camera answered that it fails; check its state and how many may watch it at once':
    '摄像机报告自身出错；请检查其状态和同时观看的数量上限',
  'the camera refused the request; check the path in its URL': '摄像机拒绝了请求；请核对地址中的路径',
  'the camera sends neither within the RTSP connection nor by UDP; check its settings':
    '摄像机既不在 RTSP 连接内也不以 UDP 发送；请检查其设置',
  'the camera redirects to an address that is not allowed; put the right one into its URL':
    '摄像机重定向到不允许的地址；请在其 URL 中填写正确的地址',
  "the camera's host name is unknown; check it, or use its address": '摄像机的主机名无法解析；请核对，或改用其地址',
  'too many connections in a short time; check why the camera ends them': '短时间内连接过多；请检查摄像机为何断开连接',
  'what the camera sends cannot be read as RTSP with H.264 or H.265; check its encoding':
    '摄像机发送的内容不是 H.264 或 H.265 的 RTSP 码流；请检查其编码',
  "no answer in time; check the address, the camera's power and network": '没有及时响应；请检查地址、摄像机电源和网络',
  'no route to the camera; check its address and the network': '无法到达摄像机；请检查其地址和网络',
  'the connection was cut': '连接被切断',
  'its worker ended; connecting again': '其工作进程已结束；正在重新连接',
  'its worker died again and again; its cameras are tried in turn to find out which one does it':
    '其工作进程反复崩溃；正在逐一试连其摄像机以找出原因',
  'its worker dies of what this camera sends; it is tried again ever more rarely, at last once an hour; update its firmware or change its encoding':
    '该摄像机发送的内容使工作进程崩溃；将越来越少地重试，最后每小时一次；请升级固件或更改编码',
  'the site was stopped': '站点已停止',
  'switched off in the registry': '已在登记表中停用',
  'the shared index is being connected': '正在连接共享索引',
  'the shared index is being filled; until then it lacks rows': '正在填充共享索引；完成前其中缺少部分记录',
  'the shared index cannot be reached; check that its Redis runs and that index.redis names it':
    '无法连接共享索引；请检查 Redis 是否运行，以及 index.redis 是否正确',
  "the shared index refuses the site's password; check index.redis_password_file":
    '共享索引拒绝了站点的密码；请检查 index.redis_password_file',
  "the shared index does not take what happened here; the site's log says why":
    '共享索引不接受本站点的记录；原因见站点日志',
};

// Why a camera is degraded (explain() in ingest/vitals.c): printf formats, whose numbers and words
// take the places {0}, {1}, …
const patterns: Record<string, string> = {
  'its pictures are not recorded, because the disk is full; make room there': '磁盘已满，其画面未被录制；请腾出空间',
  'its pictures are not recorded, because the disk fails; look at the log, and at the disk':
    '磁盘出错，其画面未被录制；请查看日志并检查磁盘',
  'pictures come that cannot be decoded and are skipped; restart the camera, and switch its smart codec (H.264+, H.265+) off':
    '有画面无法解码而被跳过；请重启摄像机，并关闭其智能编码（H.264+、H.265+）',
  '%.0f %% of its packets are lost on the way, and pictures with them; check its network, or let it send over TCP':
    '{0}% 的数据包在途中丢失，画面随之缺失；请检查其网络，或改用 TCP 传输',
  'the connection broke %d times within ten minutes; check its network, its power, and how many watch it at once':
    '十分钟内连接中断 {0} 次；请检查其网络、电源和同时观看的数量',
  'no keyframe for more than 10 s, and a clip can only begin at a keyframe; set its keyframe interval to 2 s':
    '超过 10 秒没有关键帧，而录像片段只能从关键帧开始；请把关键帧间隔设为 2 秒',
  'only %.1f pictures a second, and it used to send %.1f; check its exposure time and its network':
    '每秒只有 {0} 张画面，以前是 {1} 张；请检查其曝光时间和网络',
  'its clock is ahead of ours by %.1f %s, so times come from arrival; let it set its clock by NTP':
    '其时钟比站点快 {0} {1}，因此以到达时间为准；请让它用 NTP 校时',
  'its clock is behind ours by %.1f %s, so times come from arrival; let it set its clock by NTP':
    '其时钟比站点慢 {0} {1}，因此以到达时间为准；请让它用 NTP 校时',
};

const units: Record<string, string> = { seconds: '秒', minutes: '分钟', hours: '小时' };

const escape = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const matchers = Object.entries(patterns).map(([format, text]) => ({
  format: new RegExp(`^${format.split(/%[.\d]*[a-z]/).map((part) => escape(part.replace('%%', '%'))).join('(\\S+)')}$`),
  text,
}));

function degraded(reason: string): string | undefined {
  for (const { format, text } of matchers) {
    const found = format.exec(reason);
    if (found) return text.replace(/\{(\d)\}/g, (_, place) => units[found[+place + 1]!] ?? found[+place + 1]!);
  }
  return undefined;
}

// A sentence that is not known stays as it is.
export const reasonIn = (language: string, reason: string) =>
  language === 'zh-CN' ? (chinese[reason] ?? degraded(reason) ?? reason) : reason;
