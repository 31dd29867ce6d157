// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "storage/sheet_import.h"
#include "tests/unit/index_store.h"

static struct gw_sheet sheet;

static int finish_sheet(void **state)
{
    gw_sheet_finish(&sheet);
    return 0;
}

static void parse(const char *text)
{
    gw_sheet_finish(&sheet);
    gw_sheet_parse(&sheet, text, strlen(text));
}

static const struct gw_camera *only(const char *text)
{
    parse(text);
    if (sheet.error_count)
        print_error("%d:%d: %s\n", sheet.errors[0].line, sheet.errors[0].column,
                    sheet.errors[0].what);
    assert_int_equal(sheet.error_count, 0);
    assert_int_equal(sheet.row_count, 1);
    return &sheet.rows[0].camera;
}

// The text has one wrong row, and this is where and why.
static void refused(const char *text, int line, int column, const char *what)
{
    parse(text);
    assert_int_equal(sheet.error_count, 1);
    if (!strstr(sheet.errors[0].what, what))
        print_error("%s\n", sheet.errors[0].what);
    assert_non_null(strstr(sheet.errors[0].what, what));
    assert_int_equal(sheet.errors[0].line, line);
    assert_int_equal(sheet.errors[0].column, column);
}

#define HEADER                                                                                     \
    "id,name,division,grid,record_url,detect_url,record,enabled,lon,lat,coordinate_system\n"

static void a_full_row_is_a_camera(void **state)
{
    const struct gw_camera *camera = only(
        HEADER "gate-07,East gate,640323101,004,rtsp://u:p%40ss@10.0.0.7/ch1,,continuous,no,106.1,"
               "37.8,WGS-84\n");
    assert_string_equal(camera->id, "gate-07");
    assert_string_equal(camera->name, "East gate");
    assert_string_equal(camera->division, "640323101");
    assert_string_equal(camera->grid, "004");
    assert_string_equal(camera->record_url, "rtsp://10.0.0.7/ch1");
    assert_string_equal(camera->username, "u");
    assert_string_equal(camera->password, "p@ss");
    assert_int_equal(camera->record, GW_RECORD_CONTINUOUS);
    assert_false(camera->enabled);
    assert_true(camera->lon == 106.1 && camera->lat == 37.8);
}

static void empty_cells_and_absent_columns_have_defaults(void **state)
{
    const struct gw_camera *camera = only("record_url,id\nrtsp://h/,a");
    assert_string_equal(camera->id, "a");
    assert_string_equal(camera->name, "a");
    assert_int_equal(camera->record, GW_RECORD_EVENTS);
    assert_true(camera->enabled);
    assert_true(isnan(camera->lon));
    camera = only(HEADER "a,,,,rtsp://h/,,,,,,\n");
    assert_string_equal(camera->name, "a");
    assert_true(camera->enabled);
}

static void what_spreadsheets_write_is_read(void **state)
{
    const struct gw_camera *camera =
        only("\xef\xbb\xbfID,Name,record_url\r\n\r\na,\"Gate \"\"7\"\", east\",rtsp://h/\r\n\r\n");
    assert_string_equal(camera->name, "Gate \"7\", east");
    camera = only("id,name,record_url\na, \xe4\xb8\x9c\xe9\x97\xa8 ,rtsp://h/");
    assert_string_equal(camera->name, "\xe4\xb8\x9c\xe9\x97\xa8");
}

static void every_wrong_row_is_named_and_the_others_are_read(void **state)
{
    parse(
        "id,record_url\na,rtsp://h/1\nb b,rtsp://h/2\nc,http://h/\nd,rtsp://h/4\n\"e,rtsp://h/5\n");
    assert_int_equal(sheet.row_count, 2);
    assert_string_equal(sheet.rows[1].camera.id, "d");
    assert_int_equal(sheet.rows[1].line, 5);
    assert_int_equal(sheet.error_count, 3);
    assert_int_equal(sheet.errors[0].line, 3);
    assert_int_equal(sheet.errors[0].column, 1);
    assert_int_equal(sheet.errors[1].line, 4);
    assert_int_equal(sheet.errors[1].column, 3);
    assert_int_equal(sheet.errors[2].line, 6);
}

static void lines_are_counted_inside_quotation_marks(void **state)
{
    parse("id,name,record_url\na,\"two\nlines\",rtsp://h/\nb,x,nonsense\n");
    assert_int_equal(sheet.error_count, 2);
    assert_int_equal(sheet.errors[0].line, 2);
    assert_int_equal(sheet.errors[0].column, 3);
    assert_int_equal(sheet.errors[1].line, 4);
}

static void mistakes_are_found_where_they_are(void **state)
{
    refused("", 1, 1, "the first line is empty");
    refused("id;name;record_url\na;b;rtsp://h/\n", 1, 1, "separated by commas");
    refused("id,name\na,b\n", 1, 1, "record_url is missing");
    refused("id,record_url,colour\n", 1, 15, "no column \"colour\"");
    refused("id,record_url,\"co\nl\x1bour\"\n", 1, 15, "no column \"co?l?our\""); // in one line
    refused("id,record_url,ID\n", 1, 15, "twice");
    refused("id,record_url\na,rtsp://h/\na,rtsp://h/\n", 3, 1, "is in line 2 already");
    refused("id,record_url\na\n", 2, 1, "has 1 cells");
    refused("id,record_url\na,rtsp://h/,x\n", 2, 13, "more than 2 cells");
    refused("id,record_url\n../x,rtsp://h/\n", 2, 1, "is no id");
    refused("id,record_url\na,\"rtsp://h/\"x\n", 2, 3, "behind the closing");
    refused("id,name,record_url\na,\xb6\xab,rtsp://h/\n", 2, 3, "UTF-8");
    refused("id,division,record_url\na,64,rtsp://h/\n", 2, 3, "6, 9 or 12");
    refused("id,grid,record_url\na,x,rtsp://h/\n", 2, 3, "grid");
    refused("id,record,record_url\na,always,rtsp://h/\n", 2, 3, "events, continuous or off");
    refused("id,enabled,record_url\na,maybe,rtsp://h/\n", 2, 3, "yes or no");
}

static void empty_rows_are_no_mistakes(void **state)
{
    parse("id,name,record_url\n,,\n\na,b,rtsp://h/\r\n , ,\t\r\n \r\n");
    assert_int_equal(sheet.error_count, 0);
    assert_int_equal(sheet.row_count, 1);
}

static void a_position_says_in_which_system_it_is(void **state)
{
#define PLACED "id,record_url,lon,lat,coordinate_system\na,rtsp://h/,"
    assert_true(only(PLACED "106.1,37.8,WGS84\n")->lon == 106.1);
    assert_true(only(PLACED "106.1,37.8,cgcs2000\n")->lat == 37.8);
    refused(PLACED "106.1,37.8,\n", 2, 24, "needs its coordinate_system");
    refused(PLACED "106.1,37.8,GCJ-02\n", 2, 24, "convert first");
    refused(PLACED "106.1,37.8,BD-09\n", 2, 24, "convert first");
    refused(PLACED "106.1,37.8,Beijing54\n", 2, 24, "WGS-84 or CGCS2000");
    refused(PLACED "106.1,,WGS-84\n", 2, 19, "both");
    refused(PLACED "37.8,106.1,WGS-84\n", 2, 18, "-90 and 90");
    refused(PLACED "nan,37,WGS-84\n", 2, 13, "degrees");
    refused("id,record_url,lon,lat\na,rtsp://h/,106,37\n", 2, 1, "needs its coordinate_system");
}

static void the_other_stream_has_no_credentials_of_its_own(void **state)
{
    const struct gw_camera *camera =
        only("id,record_url,detect_url\na,rtsp://u:p@h/1,rtsp://u:p@h/2\n");
    assert_string_equal(camera->detect_url, "rtsp://h/2");
    camera = only("id,record_url,detect_url\na,rtsp://u:p@h/1,rtsp://h/2\n");
    assert_string_equal(camera->detect_url, "rtsp://h/2");
    assert_string_equal(only("id,record_url,detect_url\na,rtsp://h/1,\n")->detect_url, "");
    refused("id,record_url,detect_url\na,rtsp://u:p@h/1,rtsp://u:q@h/2\n", 2, 18,
            "those of record_url");
    refused("id,record_url,detect_url\na,rtsp://h/1,nonsense\n", 2, 14, "no camera URL");
}

static void no_mistake_shows_a_password(void **state)
{
    parse("id,record_url\na,rtps://admin:secret@h/\nadmin:secret@,x\n");
    assert_int_equal(sheet.error_count, 2);
    assert_null(strstr(sheet.errors[0].what, "secret"));
}

// --- in and out ----------------------------------------------------------------------------------

static struct gw_sheet_counts import(const char *text, bool dry_run)
{
    struct gw_sheet_counts counts;
    parse(text);
    assert_int_equal(sheet.error_count, 0);
    assert_int_equal(gw_sheet_import(&sheet, idx, dry_run, &counts), 0);
    return counts;
}

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
           "rtsp://u:p%2Fw@10.0.0.7/ch2,events,yes,106.1234567,37.8,WGS-84\n"                      \
           "b,b,,,rtsp://10.0.0.8:8554/,,off,no,,,\n"

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

static void a_dry_run_changes_nothing(void **state)
{
    struct gw_sheet_counts counts = import(TWO, true);
    struct gw_camera_row *rows = NULL;
    assert_int_equal(counts.added, 2);
    assert_int_equal(gw_index_cameras(idx, &rows), 0);
    free(rows);
}

static int remove_store_and_sheet(void **state)
{
    finish_sheet(state);
    return remove_store(state);
}

#define PURE(name)  cmocka_unit_test_teardown(name, finish_sheet)
#define STORE(name) cmocka_unit_test_setup_teardown(name, make_store, remove_store_and_sheet)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PURE(a_full_row_is_a_camera),
        PURE(empty_cells_and_absent_columns_have_defaults),
        PURE(what_spreadsheets_write_is_read),
        PURE(every_wrong_row_is_named_and_the_others_are_read),
        PURE(lines_are_counted_inside_quotation_marks),
        PURE(mistakes_are_found_where_they_are),
        PURE(empty_rows_are_no_mistakes),
        PURE(a_position_says_in_which_system_it_is),
        PURE(the_other_stream_has_no_credentials_of_its_own),
        PURE(no_mistake_shows_a_password),
        STORE(a_sheet_goes_out_as_it_came_in),
        STORE(without_credentials_none_are_shown_and_none_are_lost),
        STORE(absent_columns_leave_what_is_registered),
        STORE(a_dry_run_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
