// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The handlers that router.c's table names; docs/ref/api.md says what each answers.
#pragma once

#include "console/http.h"

enum MHD_Result gw_route_healthz(struct gw_request *request);
enum MHD_Result gw_route_readyz(struct gw_request *request);
enum MHD_Result gw_route_metrics(struct gw_request *request);
enum MHD_Result gw_route_session_open(struct gw_request *request);
enum MHD_Result gw_route_session_show(struct gw_request *request);
enum MHD_Result gw_route_session_revoke(struct gw_request *request);
enum MHD_Result gw_route_events(struct gw_request *request);
enum MHD_Result gw_route_event(struct gw_request *request);
enum MHD_Result gw_route_event_snapshot(struct gw_request *request);
enum MHD_Result gw_route_event_thumbnail(struct gw_request *request);
enum MHD_Result gw_route_clips(struct gw_request *request);
enum MHD_Result gw_route_clip(struct gw_request *request);
enum MHD_Result gw_route_clip_media(struct gw_request *request);
enum MHD_Result gw_route_joined_media(struct gw_request *request);
enum MHD_Result gw_route_joined_timeline(struct gw_request *request);
enum MHD_Result gw_route_gaps(struct gw_request *request);
enum MHD_Result gw_route_storage(struct gw_request *request);
enum MHD_Result gw_route_holds(struct gw_request *request);
enum MHD_Result gw_route_places(struct gw_request *request);
enum MHD_Result gw_route_count_days(struct gw_request *request);
enum MHD_Result gw_route_count_cells(struct gw_request *request);
enum MHD_Result gw_route_cameras(struct gw_request *request);
enum MHD_Result gw_route_stream(struct gw_request *request);
