// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "storage/sheet_internal.h"

#define MOST_ALIASES  6
#define FIELD(member) offsetof(struct gw_camera, member), sizeof(((struct gw_camera *)NULL)->member)

// Where each column's value is. Longitude and latitude are one value in two columns.
static const struct {
    const char *name;
    size_t offset, size;
    const char *aliases[MOST_ALIASES];
} columns[GW_SHEET_COLUMNS] = {
    [GW_COLUMN_ID] = {"id", FIELD(id), {"编号", "摄像机编号"}},
    [GW_COLUMN_NAME] = {"name", FIELD(name), {"设备名称", "点位名称", "摄像机名称", "名称"}},
    [GW_COLUMN_DIVISION] = {"division",
                            FIELD(division),
                            {"行政区划", "行政区划代码", "行政区划编码", "行政区域"}},
    [GW_COLUMN_GRID] = {"grid", FIELD(grid), {"网格编号", "网格编码", "网格号", "网格"}},
    [GW_COLUMN_RECORD_URL] = {"record_url",
                              FIELD(record_url),
                              {"主码流地址", "主码流", "录像地址", "视频流地址"}},
    [GW_COLUMN_DETECT_URL] = {"detect_url",
                              FIELD(detect_url),
                              {"子码流地址", "子码流", "辅码流地址", "辅码流"}},
    [GW_COLUMN_RECORD] = {"record", FIELD(record), {"录像模式", "录像方式"}},
    [GW_COLUMN_ENABLED] = {"enabled", FIELD(enabled), {"启用", "是否启用"}},
    [GW_COLUMN_LON] = {"lon", FIELD(lon), {"经度"}},
    [GW_COLUMN_LAT] = {"lat", FIELD(lat), {"纬度"}},
    [GW_COLUMN_SYSTEM] = {"coordinate_system", 0, 0, {"坐标系", "坐标系统", "坐标系类型"}},
    [GW_COLUMN_HEADING] = {"heading", FIELD(view.heading_deg), {"朝向", "方位角"}},
    [GW_COLUMN_FOV] = {"fov", FIELD(view.fov_deg), {"视场角", "水平视场角"}},
    [GW_COLUMN_RANGE] = {"range", FIELD(view.range_m), {"可视距离"}},
    [GW_COLUMN_HEIGHT] = {"height", FIELD(view.height_m), {"安装高度", "架设高度"}},
    [GW_COLUMN_DEVICE_ID] = {"device_id",
                             FIELD(registration.device_id),
                             {"设备编码", "国标编码", "设备国标编码"}},
    [GW_COLUMN_SITE_CLASS] = {"site_class",
                              FIELD(registration.site_class),
                              {"点位类别", "点位类型", "监控点位类型"}},
    [GW_COLUMN_OWNER_UNIT] = {"owner_unit",
                              FIELD(registration.owner_unit),
                              {"所属单位", "建设单位", "建设单位/所属单位", "产权单位"}},
    [GW_COLUMN_MAINTENANCE_UNIT] = {"maintenance_unit",
                                    FIELD(registration.maintenance_unit),
                                    {"维护单位", "运维单位"}},
    [GW_COLUMN_ZONES] = {"zones", FIELD(zones), {"区域与遮挡", "遮挡区域"}},
    [GW_COLUMN_RETENTION_DAYS] = {"retention_days",
                                  FIELD(retention_days),
                                  {"录像保存天数", "保存天数"}},
};

const char *gw_sheet_column_name(enum gw_sheet_column column)
{
    return columns[column].name;
}

int gw_sheet_find_column(const char *name)
{
    for (int i = 0; i < GW_SHEET_COLUMNS; i++) {
        if (!strcasecmp(columns[i].name, name))
            return i;
        for (int j = 0; j < MOST_ALIASES && columns[i].aliases[j]; j++)
            if (!strcmp(columns[i].aliases[j], name))
                return i;
    }
    return -1;
}

void gw_sheet_copy_value(struct gw_camera *to, const struct gw_camera *from,
                         enum gw_sheet_column column)
{
    memcpy((char *)to + columns[column].offset, (const char *)from + columns[column].offset,
           columns[column].size);
}

static void write_text(char ret[GW_ZONES_TEXT_SIZE], const char *text)
{
    snprintf(ret, GW_ZONES_TEXT_SIZE, "%s", text);
}

// known: whether 0 is a value and not "not known".
static void write_number(char ret[GW_ZONES_TEXT_SIZE], double number, int digits, bool known)
{
    *ret = 0;
    if (known)
        snprintf(ret, GW_ZONES_TEXT_SIZE, "%.*g", digits, number);
}

void gw_sheet_value(const struct gw_camera *camera, enum gw_sheet_column column,
                    char ret[GW_ZONES_TEXT_SIZE])
{
    const struct gw_view *view = &camera->view;
    const struct gw_registration *registration = &camera->registration;
    const bool placed = isfinite(camera->lon) && isfinite(camera->lat);

    switch (column) {
    case GW_COLUMN_LON: write_number(ret, camera->lon, 10, placed); break;
    case GW_COLUMN_LAT: write_number(ret, camera->lat, 10, placed); break;
    case GW_COLUMN_SYSTEM: write_text(ret, placed ? "WGS-84" : ""); break;
    case GW_COLUMN_HEADING:
        write_number(ret, view->heading_deg, 6, view->heading_deg > 0 || view->fov_deg > 0);
        break;
    case GW_COLUMN_FOV: write_number(ret, view->fov_deg, 6, view->fov_deg > 0); break;
    case GW_COLUMN_RANGE: write_number(ret, view->range_m, 6, view->range_m > 0); break;
    case GW_COLUMN_HEIGHT: write_number(ret, view->height_m, 6, view->height_m > 0); break;
    case GW_COLUMN_RETENTION_DAYS:
        write_number(ret, camera->retention_days, 6, camera->retention_days > 0);
        break;
    case GW_COLUMN_RECORD: write_text(ret, gw_record_mode_name(camera->record)); break;
    case GW_COLUMN_ENABLED: write_text(ret, camera->enabled ? "yes" : "no"); break;
    case GW_COLUMN_SITE_CLASS: write_text(ret, gw_site_class_name(registration->site_class)); break;
    default: write_text(ret, (const char *)camera + columns[column].offset); break;
    }
}
