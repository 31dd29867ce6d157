// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/export_manifest.h"

#include <math.h>

#include "core/clock.h"

// Times come twice, as in the API. name_us is "from_us" for "from"; GW_NO_TIME is null.
static void set_time(json_t *json, const char *name, const char *name_us, int64_t wall_us)
{
    char text[GW_RFC3339_SIZE];
    const bool known = wall_us != GW_NO_TIME;
    json_object_set_new(json, name,
                        known ? json_string(gw_format_rfc3339(text, wall_us)) : json_null());
    json_object_set_new(json, name_us, known ? json_integer(wall_us) : json_null());
}

static void set_range(json_t *json, int64_t from_us, int64_t to_us)
{
    set_time(json, "from", "from_us", from_us);
    set_time(json, "to", "to_us", to_us);
}

static void set_id(json_t *json, const char *name, const struct gw_id *id)
{
    char text[GW_ID_TEXT_SIZE];
    json_object_set_new(json, name, json_string(gw_id_format(text, id)));
}

static void set_known(json_t *json, const char *name, bool known, double value)
{
    json_object_set_new(json, name, known ? json_real(value) : json_null());
}

// A camera, where it was at that time, and where it looked.
static void set_place(json_t *json, const char *camera, const struct gw_place *place)
{
    const bool known = isfinite(place->lon) && isfinite(place->lat);
    json_object_set_new(json, "camera", json_string(camera));
    json_object_set_new(json, "camera_name", json_string(place->camera_name));
    json_object_set_new(json, "division", json_string(place->division));
    json_object_set_new(json, "grid", json_string(place->grid));
    set_known(json, "lon", known, place->lon);
    set_known(json, "lat", known, place->lat);
    // North is told only of what does not look all round, as everywhere.
    set_known(json, "heading_deg", place->view.fov_deg != 0 || place->view.heading_deg != 0,
              place->view.heading_deg);
    set_known(json, "fov_deg", place->view.fov_deg != 0, place->view.fov_deg);
    set_known(json, "range_m", place->view.range_m != 0, place->view.range_m);
    set_known(json, "height_m", place->view.height_m != 0, place->view.height_m);
}

static void set_offset(json_t *json, int64_t offset_us)
{
    json_object_set_new(json, "clock_offset_us",
                        offset_us == GW_NO_TIME ? json_null() : json_integer(offset_us));
}

json_t *gw_manifest_create(const struct gw_export_request *request, const char *id)
{
    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:{s:s, s:s}, s:{s:s, s:s}, s:O}", "product",
                             "gridwatch " GW_VERSION, "export", id, "case", request->case_text,
                             "reason", request->reason, "exporter", "name", request->exporter,
                             "os_user", request->os_user, "site", "name", request->site->site_name,
                             "division", request->site->division, "filters", request->filters);
    json_t *range = json_object();
    set_time(json, "created", "created_us", gw_wall_us());
    set_range(range, request->query.from_us, request->query.to_us);
    json_object_set_new(json, "range", range);
    json_object_set_new(json, "masks",
                        json_string("not applied: clips hold the whole picture, as the camera "
                                    "encoded it"));
    json_object_set_new(json, "clips", json_array());
    json_object_set_new(json, "gaps", json_array());
    json_object_set_new(json, "missing", json_array());
    json_object_set_new(json, "snapshots", json_array());
    return json;
}

json_t *gw_manifest_clip(const struct gw_clip_row *row, const struct gw_media_plan *plan,
                         const char *name)
{
    const struct gw_clip *clip = &row->clip;
    json_t *json = json_pack("{s:s}", "file", name), *whole = json_object();
    set_id(json, "clip", &clip->id);
    set_place(json, clip->camera, &row->place);
    set_range(json, plan->from_us, plan->to_us);
    json_object_set_new(json, "frames", json_integer(plan->frames));
    json_object_set_new(json, "codec", json_string(clip->codec));
    json_object_set_new(json, "width", json_integer(clip->width));
    json_object_set_new(json, "height", json_integer(clip->height));
    set_offset(json, clip->clock_offset_us);
    set_range(whole, clip->start_us, clip->state == GW_CLIP_RECORDING ? GW_NO_TIME : clip->end_us);
    json_object_set_new(whole, "state", json_string(gw_clip_state_name(clip->state)));
    json_object_set_new(whole, "truncated", json_boolean(clip->truncated));
    json_object_set_new(json, "recorded", whole);
    return json;
}

json_t *gw_manifest_missing(const struct gw_clip_row *row, const char *why)
{
    json_t *json = json_pack("{s:s}", "reason", why);
    set_id(json, "clip", &row->clip.id);
    set_place(json, row->clip.camera, &row->place);
    set_range(json, row->clip.start_us, row->clip.end_us);
    return json;
}

json_t *gw_manifest_gap(const struct gw_gap_row *row)
{
    json_t *json = json_pack("{s:s}", "cause", gw_gap_cause_name(row->gap.cause));
    set_place(json, row->gap.camera, &row->place);
    set_range(json, row->gap.from_us, row->gap.open ? GW_NO_TIME : row->gap.to_us);
    return json;
}

json_t *gw_manifest_snapshot(const struct gw_event_row *row, const char *name)
{
    const struct gw_event *event = &row->event;
    json_t *json = json_pack("{s:s, s:s}", "file", name, "kind", gw_event_kind_name(event->kind));
    set_id(json, "event", &event->id);
    set_place(json, event->camera, &row->place);
    set_range(json, event->start_us, event->end_us);
    set_time(json, "taken", "taken_us", event->snapshot_us);
    set_offset(json, event->clock_offset_us);
    return json;
}

const char gw_evidence_readme[] =
    "监控录像证据包\n"
    "==============\n"
    "\n"
    "本文件夹由 Gridwatch 导出，包含：\n"
    "  clip-*.mp4        录像，未经重新编码；文件名中的时间为协调世界时（UTC），北京时间为其加 8 "
    "小时\n"
    "  snapshot-*.jpg    事件快照（如导出时要求）\n"
    "  manifest.json     清单：案号、事由、导出人、时间范围、摄像机、地点、录像缺口、时钟偏差、\n"
    "                    每个文件的大小和 SHA-256\n"
    "  manifest.sig      导出单位对清单的 Ed25519 签名\n"
    "  public-key.pem    与签名对应的公钥\n"
    "\n"
    "录像用一般播放器即可播放。核验是否被改动：\n"
    "  gridwatch verify --key 公钥 本文件夹\n"
    "公钥请向导出单位另行索取，不要使用本文件夹里的公钥：改动者也能换掉它。\n"
    "核验不需要联网。结果为 good 表示自签名以来没有任何改动；否则指出第一处不符的文件。\n"
    "\n"
    "没有 Gridwatch 时：\n"
    "  1. openssl pkeyutl -verify -pubin -inkey public-key.pem -rawin \\\n"
    "       -in manifest.json -sigfile manifest.sig\n"
    "  2. sha256sum *  的结果与 manifest.json 中 files 一项逐个比对\n"
    "\n"
    "请勿在本文件夹内增加、删除或改名任何文件；复制时请复制整个文件夹。\n"
    "\n"
    "Video evidence\n"
    "==============\n"
    "\n"
    "This folder was exported by Gridwatch. It holds:\n"
    "  clip-*.mp4        recordings, not encoded again; times in file names are UTC\n"
    "  snapshot-*.jpg    pictures of events, if the export asked for them\n"
    "  manifest.json     case, reason, exporter, time range, cameras, places, gaps in the "
    "recording,\n"
    "                    clock offsets, and size and SHA-256 of every file\n"
    "  manifest.sig      the site's Ed25519 signature over the manifest\n"
    "  public-key.pem    the public key that belongs to the signature\n"
    "\n"
    "Any player plays the recordings. To check that nothing was changed:\n"
    "  gridwatch verify --key KEY FOLDER\n"
    "Ask the site for KEY; do not take the one in this folder: whoever changed a file could have\n"
    "changed that, too. No network is needed. \"good\" means that nothing was changed since it "
    "was\n"
    "signed; otherwise the first file that is wrong is named.\n"
    "\n"
    "Without Gridwatch:\n"
    "  1. the openssl command above must say that the signature is verified\n"
    "  2. compare what  sha256sum *  prints with \"files\" in manifest.json\n"
    "\n"
    "Add, remove and rename nothing in this folder; copy it as a whole.\n";
