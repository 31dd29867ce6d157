// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include "storage/sheet_import.h"
#include "tests/unit/index_store.h"

static struct gw_sheet sheet;
static char told[8192], warned[8192]; // by the last import

static void note_change(void *opaque, const char *camera, const char *column, const char *from,
                        const char *to)
{
    char line[512];
    snprintf(line, sizeof(line), "%s %s %s>%s\n", camera, column ? column : "new", from ? from : "",
             to ? to : "");
    strcat(told, line);
}

static void note_warning(void *opaque, int line, int column, const char *what)
{
    char text[512];
    snprintf(text, sizeof(text), "%d:%d %s\n", line, column, what);
    strcat(warned, text);
}

static struct gw_sheet_counts import(const char *text, bool dry_run)
{
    const struct gw_sheet_watch watch = {.change = note_change, .warn = note_warning};
    struct gw_sheet_counts counts;
    *told = *warned = 0;
    gw_sheet_finish(&sheet);
    gw_sheet_parse(&sheet, text, strlen(text), NULL);
    for (int i = 0; i < sheet.error_count; i++)
        print_error("%d:%d: %s\n", sheet.errors[i].line, sheet.errors[i].column,
                    sheet.errors[i].what);
    assert_int_equal(sheet.error_count, 0);
    assert_int_equal(gw_sheet_import(&sheet, idx, dry_run, &watch, &counts), 0);
    return counts;
}

#define HEADER                                                                                     \
    "id,name,division,grid,record_url,detect_url,record,enabled,lon,lat,coordinate_system,"        \
    "heading,fov,range,height,device_id,site_class,owner_unit,maintenance_unit,zones,"             \
    "retention_days\n"

static char *export(bool with_credentials)
{
    struct gw_camera_row *rows = NULL;
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    int count = gw_index_cameras(idx, &rows);
    gw_sheet_write_header(out);
    for (int i = 0; i < count; i++)
        gw_sheet_write_row(out, &rows[i].camera, with_credentials);
    fclose(out);
    free(rows);
    return text;
}

#define TWO                                                                                        \
    HEADER "a,\"Gate, \"\"east\"\"\",640323101,004,rtsp://u:p%2Fw@10.0.0.7/ch1,"                   \
           "rtsp://u:p%2Fw@10.0.0.7/ch2,events,yes,106.1234567,37.8,WGS-84,0,90,60.5,6,"           \
           "64032300001310000007,class-1,\"Public; security\",Wires & Co.,"                        \
           "\"{\"\"masks\"\":[{\"\"polygon\"\":[[0,0],[1,0],[1,0.1]]}]}\",90\n"                    \
           "b,b,,,rtsp://10.0.0.8:8554/,,off,no,,,,,,,,,,,,,\n"

static void a_sheet_goes_out_as_it_came_in(void **state)
{
    struct gw_sheet_counts counts = import(TWO, false);
    assert_int_equal(counts.added, 2);
    char *text = export(true);
    assert_string_equal(text, TWO);
    counts = import(text, false);
    assert_int_equal(counts.unchanged, 2);
    free(text);
}

#define DEVICE_1 "64032300001310000007"
#define DEVICE_2 "64032300001310000008"
#define DEVICE_3 "64032300001310000009"

// Rows that are left when the registry has been asked; errors are in the sheet.
static int check_devices(const char *text)
{
    gw_sheet_finish(&sheet);
    gw_sheet_parse(&sheet, text, strlen(text), NULL);
    assert_int_equal(sheet.error_count, 0);
    assert_int_equal(gw_sheet_check_devices(&sheet, idx), 0);
    return sheet.row_count;
}

static void a_device_id_is_of_one_camera_also_in_the_registry(void **state)
{
    import("id,record_url,device_id\na,rtsp://h/1," DEVICE_1 "\nb,rtsp://h/2," DEVICE_2 "\n",
           false);
    assert_int_equal(check_devices("id,record_url,device_id\na,rtsp://h/1," DEVICE_1
                                   "\nc,rtsp://h/3," DEVICE_2 "\nd,rtsp://h/4," DEVICE_3 "\n"),
                     2);
    assert_int_equal(sheet.wrong_rows, 1);
    assert_int_equal(sheet.error_count, 1);
    assert_int_equal(sheet.errors[0].line, 3);
    assert_int_equal(sheet.errors[0].column, 14);
    assert_non_null(strstr(sheet.errors[0].what, DEVICE_2 " is camera b's"));
    // The same camera by its device id; two that change theirs; one that gives it away.
    assert_int_equal(check_devices("record_url,device_id\nrtsp://h/1," DEVICE_1 "\n"), 1);
    assert_int_equal(check_devices("id,record_url,device_id\na,rtsp://h/1," DEVICE_2
                                   "\nb,rtsp://h/2," DEVICE_1 "\n"),
                     2);
    assert_int_equal(
        check_devices("id,record_url,device_id\na,rtsp://h/1,\nc,rtsp://h/3," DEVICE_1 "\n"), 2);
    // a's row is wrong, so its device id is not free either: errors come in the order of rows.
    assert_int_equal(check_devices("id,record_url,device_id\nc,rtsp://h/3," DEVICE_1
                                   "\na,rtsp://h/1," DEVICE_2 "\n"),
                     0);
    assert_int_equal(sheet.wrong_rows, 2);
    assert_int_equal(sheet.errors[0].line, 2);
    assert_int_equal(sheet.errors[1].line, 3);
}

static void without_credentials_none_are_shown_and_none_are_lost(void **state)
{
    struct gw_camera_row row;
    import(TWO, false);
    char *text = export(false);
    assert_null(strstr(text, "p%2Fw"));
    assert_non_null(strstr(text, "rtsp://10.0.0.7/ch1"));
    struct gw_sheet_counts counts = import(text, false);
    free(text);
    assert_int_equal(counts.unchanged, 2);
    gw_index_camera(idx, "a", &row);
    assert_string_equal(row.camera.password, "p/w");

    // Another path of the same host keeps them; another host must not get them.
    import("id,record_url\na,rtsp://10.0.0.7:8554/ch2\n", false);
    gw_index_camera(idx, "a", &row);
    assert_string_equal(row.camera.password, "p/w");
    import("id,record_url\na,rtsp://10.0.0.77/ch2\n", false);
    gw_index_camera(idx, "a", &row);
    assert_string_equal(row.camera.password, "");
}

static void absent_columns_leave_what_is_registered(void **state)
{
    struct gw_camera_row row;
    import(TWO, false);
    struct gw_sheet_counts counts =
        import("id,name,record_url\nb,New,rtsp://10.0.0.8:8554/\n", false);
    assert_int_equal(counts.changed, 1);
    gw_index_camera(idx, "b", &row);
    assert_string_equal(row.camera.name, "New");
    assert_int_equal(row.camera.record, GW_RECORD_OFF);
    assert_false(row.camera.enabled);
    import("id,record_url\na,rtsp://10.0.0.7/ch1\n", false);
    gw_index_camera(idx, "a", &row);
    assert_true(row.camera.lon == 106.1234567);
}

static void half_a_position_takes_nothing_of_the_registered_one(void **state)
{
    struct gw_camera_row row;
    import(TWO, false);
    import("id,lat,record_url\na,,rtsp://10.0.0.7/ch1\n", false);
    gw_index_camera(idx, "a", &row);
    assert_true(isnan(row.camera.lon) && isnan(row.camera.lat));
}

static void a_dry_run_tells_what_would_change_and_changes_nothing(void **state)
{
    struct gw_sheet_counts counts = import(TWO, true);
    struct gw_camera_row *rows = NULL;
    assert_int_equal(counts.added, 2);
    assert_int_equal(gw_index_cameras(idx, &rows), 0);
    free(rows);
}

static void an_import_tells_what_changes_from_what_to_what(void **state)
{
    import(TWO, false);
    assert_string_equal(told, "a new >\nb new >\n");
    struct gw_sheet_counts counts = import(
        "id,name,heading,retention_days,record_url\na,West,180,,rtsp://10.0.0.7/ch1\n", true);
    assert_int_equal(counts.changed, 1);
    assert_string_equal(told,
                        "a name Gate, \"east\">West\na heading 0>180\na retention_days 90>\n");
    import("id,record_url\na,rtsp://u:new@10.0.0.7/ch1\n", true);
    assert_string_equal(told, "a credentials >\n"); // and not which
    counts = import("id,record_url\na,rtsp://10.0.0.7/ch1\n", true);
    assert_int_equal(counts.unchanged, 1);
    assert_string_equal(told, "");
}

static void another_layout_of_the_same_zones_is_no_change(void **state)
{
    import(TWO, false);
    struct gw_sheet_counts counts = import(
        "id,zones,record_url\na,\"{\n  \"\"masks\"\": [ {\"\"polygon\"\": [[0, 0], [1, 0], [1, "
        "0.1000000001]]} ]\n}\",rtsp://10.0.0.7/ch1\n",
        false);
    assert_int_equal(counts.unchanged, 1);
}

static void a_position_in_gcj_02_that_is_imported_again_changes_nothing(void **state)
{
    const char *text = "id,record_url,lon,lat,coordinate_system\n"
                       "a,rtsp://h/,116.3840472,39.9133454,GCJ-02\n";
    struct gw_camera_row row;
    import(text, false);
    gw_index_camera(idx, "a", &row);
    assert_true(fabs(row.camera.lon - 116.377817) < 1e-6);
    assert_int_equal(import(text, false).unchanged, 1);
}

static void a_camera_is_known_by_its_device_id_when_the_sheet_has_no_other(void **state)
{
    struct gw_camera_row row;
    import(TWO, false);
    struct gw_sheet_counts counts = import("设备编码,主码流地址,设备名称\n"
                                           "64032300001310000007,rtsp://10.0.0.7/ch1,东门\n"
                                           "64032300001310000008,rtsp://10.0.0.9/ch1,西门\n",
                                           false);
    assert_int_equal(counts.added, 1);
    assert_int_equal(counts.changed, 1);
    assert_string_equal(told, "a name Gate, \"east\">东门\n64032300001310000008 new >\n");
    gw_index_camera(idx, "a", &row);
    assert_string_equal(row.camera.password, "p/w");
    gw_index_camera(idx, "64032300001310000008", &row);
    assert_string_equal(row.camera.name, "西门");
}

static void a_position_far_from_its_village_is_warned_of_and_imported(void **state)
{
    char text[4096] = "id,division,record_url,lon,lat,coordinate_system\n", row[128];
    for (int i = 0; i < 6; i++) {
        snprintf(row, sizeof(row), "a%d,640323101007,rtsp://h/,106.10%d,37.80%d,WGS-84\n", i, i, i);
        strcat(text, row);
    }
    import(text, false);
    assert_string_equal(warned, "");
    struct gw_sheet_counts counts = import("id,division,record_url,lon,lat,coordinate_system\n"
                                           "far,640323101007,rtsp://h/,106.1,38.8,WGS-84\n",
                                           false);
    assert_int_equal(counts.added, 1);
    assert_non_null(strstr(warned, "2:28 this is 110.9 km from the other cameras of 640323101007"));
    // It is registered now, and a sheet without it says nothing of it.
    import("id,record_url,division,lon,lat,coordinate_system\n"
           "b,rtsp://h/,640323101007,106.101,37.801,WGS-84\n",
           false);
    assert_string_equal(warned, "");
    // Nor does one that leaves its position as it is.
    import("id,record_url\nfar,rtsp://h/2\n", false);
    assert_string_equal(warned, "");
}

static int remove_store_and_sheet(void **state)
{
    gw_sheet_finish(&sheet);
    return remove_store(state);
}

#define STORE(name) cmocka_unit_test_setup_teardown(name, make_store, remove_store_and_sheet)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE(a_sheet_goes_out_as_it_came_in),
        STORE(a_device_id_is_of_one_camera_also_in_the_registry),
        STORE(without_credentials_none_are_shown_and_none_are_lost),
        STORE(absent_columns_leave_what_is_registered),
        STORE(half_a_position_takes_nothing_of_the_registered_one),
        STORE(a_dry_run_tells_what_would_change_and_changes_nothing),
        STORE(an_import_tells_what_changes_from_what_to_what),
        STORE(another_layout_of_the_same_zones_is_no_change),
        STORE(a_position_in_gcj_02_that_is_imported_again_changes_nothing),
        STORE(a_camera_is_known_by_its_device_id_when_the_sheet_has_no_other),
        STORE(a_position_far_from_its_village_is_warned_of_and_imported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
