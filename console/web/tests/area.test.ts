// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

import { describe, expect, test } from 'vitest';

import { addPoint, areaOf, cornersOf, distance, edgesOf, isArea, maxPoints, radiusOf, reach, sectorOf, type Point, type Sketch } from '../src/lib/area';

const draw = (shape: Sketch['shape'], points: Point[]) =>
  points.reduce<ReturnType<typeof addPoint>>((now, point) => addPoint(now.sketch, point), { sketch: { shape, points: [] } });

describe('area', () => {
  test.each([
    ['near', '106.42,37.785,500'],
    ['polygon', '106.4,37.7;106.5,37.7;106.45,37.9'],
    ['box', '179.5,-17,-179.5,-16'],
    ['covers', ' 106.42, 37.785 '],
  ] as const)('what_the_site_takes_is_an_area: %s=%s', (shape, text) => {
    expect(isArea({ shape, text })).toBe(true);
  });

  test.each([
    ['near', '106.42,37.785'],
    ['near', '106.42,37.785,0'],
    ['near', '106.42,,5'],
    ['near', '206,37,5'],
    ['near', '0x6a,37,5'],
    ['polygon', '106,37;107,37'],
    ['polygon', '106,37;107,37;;106,38'],
    ['box', '106,37,107,37'],
    ['box', '106,37,106,38'],
    ['covers', '37'],
    ['covers', '106,91'],
    ['covers', ''],
  ] as const)('what_the_site_refuses_is_none: %s=%s', (shape, text) => {
    expect(isArea({ shape, text })).toBe(false);
  });

  test('a_circle_is_drawn_by_its_middle_and_its_edge', () => {
    const middle: Point = [106.42, 37.785];
    expect(draw('near', [middle]).area).toBeUndefined();
    const { area } = draw('near', [middle, reach(middle, 90, 250)]);
    expect(area).toEqual({ shape: 'near', text: '106.42,37.785,250' });
    expect(radiusOf(area!)).toBe(250);
  });

  test('a_box_is_drawn_by_any_two_opposite_corners', () => {
    const corners: Point[] = [[106.5, 37.7], [106.4, 37.8]];
    expect(draw('box', corners).area).toEqual({ shape: 'box', text: '106.4,37.7,106.5,37.8' });
    expect(draw('box', [...corners].reverse()).area).toEqual(draw('box', corners).area);
  });

  test('a_box_across_the_date_line_goes_on_eastwards', () => {
    const corners = cornersOf({ shape: 'box', text: '179.5,-17,-179.5,-16' })!;
    expect(edgesOf(corners)).toEqual({ west: 179.5, south: -17, east: 180.5, north: -16 });
  });

  test('a_polygon_is_done_when_somebody_says_so_and_has_three_points', () => {
    const two = draw('polygon', [[1, 1], [2, 1]]);
    expect(areaOf(two.sketch)).toBeUndefined();
    const three = addPoint(two.sketch, [2, 2]);
    expect(three.area).toBeUndefined();
    expect(areaOf(three.sketch)).toEqual({ shape: 'polygon', text: '1,1;2,1;2,2' });
  });

  test('a_second_click_on_the_same_point_and_a_65th_point_add_nothing', () => {
    const point: Point = [1, 1];
    expect(draw('polygon', [point, point]).sketch.points).toHaveLength(1);
    const many = Array.from({ length: maxPoints + 3 }, (_, n): Point => [n, n % 2]);
    expect(draw('polygon', many).sketch.points).toHaveLength(maxPoints);
  });

  test('a_spot_to_be_seen_is_one_point', () => {
    expect(draw('covers', [[106.4200001, 37.785]]).area).toEqual({ shape: 'covers', text: '106.42,37.785' });
  });
});

describe('sector', () => {
  const camera = { lon: 106.42, lat: 37.785, heading_deg: 90, fov_deg: 60, range_m: 100 };
  const place: Point = [camera.lon, camera.lat];

  test('a_sector_begins_at_the_camera_and_ends_at_its_range', () => {
    const [apex, ...arc] = sectorOf(camera)!;
    expect(apex).toEqual(place);
    for (const point of arc) expect(distance(place, point)).toBeCloseTo(100, 3);
  });

  test('a_camera_that_looks_east_sees_nothing_in_the_west', () => {
    const arc = sectorOf(camera)!.slice(1);
    for (const [lon] of arc) expect(lon).toBeGreaterThan(camera.lon);
    expect(arc[0]![1]).toBeGreaterThan(camera.lat);
    expect(arc[arc.length - 1]![1]).toBeLessThan(camera.lat);
  });

  test('without_a_field_of_view_it_is_a_circle_and_without_a_range_nothing', () => {
    const circle = sectorOf({ ...camera, fov_deg: undefined })!;
    expect(circle).toHaveLength(61);
    expect(circle[0]).not.toEqual(place);
    expect(sectorOf({ ...camera, range_m: undefined })).toBeUndefined();
    expect(sectorOf({ ...camera, lon: undefined })).toBeUndefined();
  });

  test('a_degree_of_latitude_is_111_kilometres', () => {
    expect(distance([0, 0], [0, 1])).toBeCloseTo(111195, 0);
    expect(reach([0, 0], 0, 111195.08)[1]).toBeCloseTo(1, 5);
  });
});
