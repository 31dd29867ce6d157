// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The map, around Leaflet: cameras, cells, sectors and areas on a plain ground with lines of longitude and
// latitude, because an air-gapped network has no tile server. Knows nothing of searches.

import * as L from 'leaflet';
import 'leaflet/dist/leaflet.css';

import type { CellCount } from '../api/types';
import { addPoint, areaOf, cornersOf, edgesOf, radiusOf, sectorOf, type Area, type Point, type Sketch, type View } from '../lib/area';
import { linesWithin, stepFor } from '../lib/graticule';

export interface MapCamera extends View {
  id: string;
  name: string;
  found: boolean; // by the search; the others are only there to find one's way
}

interface Told {
  point: (point: Point) => void; // while something is drawn
  finish: () => void; // double click
  camera: (id: string) => void;
}

type Dot = L.CircleMarker & { camera?: MapCamera; words?: string };

const place = ([lon, lat]: Point): L.LatLngTuple => [lat, lon];
const pointOf = ({ lng, lat }: L.LatLng): Point => [lng, lat];
// As the style sheet says, so that dark rooms get dark maps.
const colour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

export class CountyMap {
  private readonly map: L.Map;
  private readonly lines = L.layerGroup();
  private readonly sectors = L.layerGroup();
  private readonly dots = L.featureGroup();
  private readonly area = L.layerGroup();
  private readonly selected = L.layerGroup();
  private sketch: Sketch | undefined;

  constructor(
    private readonly box: HTMLElement,
    private readonly told: Told,
  ) {
    this.map = L.map(box, { attributionControl: false, preferCanvas: true, minZoom: 2, maxZoom: 20, zoomSnap: 0.5, zoomAnimation: false });
    this.map.setView([0, 0], 2);
    L.control.scale({ imperial: false, position: 'bottomleft' }).addTo(this.map);
    this.addPane('ground', 300, this.lines);
    this.addPane('sectors', 350, this.sectors);
    this.dots.addTo(this.map);
    this.addPane('areas', 450, this.area);
    this.addPane('selected', 460, this.selected);
    this.listen();
  }

  // Each on a plane of its own, which lets the pointer through to the cameras.
  private addPane(name: string, height: number, layer: L.LayerGroup) {
    const pane = this.map.createPane(name);
    pane.style.zIndex = String(height);
    pane.style.pointerEvents = 'none';
    layer.addTo(this.map);
  }

  private listen() {
    this.map.on('moveend', () => this.drawLines());
    this.map.on('click', (event) => this.sketch && this.told.point(pointOf(event.latlng)));
    this.map.on('dblclick', () => this.sketch && this.told.finish());
    this.map.on('mousemove', (event) => this.sketch && this.drawSketch(pointOf(event.latlng)));
    this.dots.on('click', (event) => {
      const { camera } = event.propagatedFrom as Dot;
      if (!this.sketch && camera) this.told.camera(camera.id);
    });
    this.dots.on('mouseover', (event) => this.showWords(event.propagatedFrom as Dot));
    this.dots.on('mouseout', () => this.map.closeTooltip(this.tooltip));
  }

  private readonly tooltip = L.tooltip({ direction: 'top', offset: [0, -6] });

  // As text: a camera's name is not markup.
  private showWords(dot: Dot) {
    const words = document.createElement('span');
    words.textContent = dot.words ?? '';
    this.tooltip.setLatLng(dot.getLatLng()).setContent(words).openOn(this.map);
  }

  middle(): Point {
    return pointOf(this.map.getCenter());
  }

  focus() {
    this.box.focus({ preventScroll: true });
  }

  blur() {
    this.box.blur();
  }

  // The box has another size; while it is hidden, the map stays as it was.
  resized() {
    if (this.box.clientWidth) this.map.invalidateSize({ animate: false });
  }

  destroy() {
    this.map.remove();
  }

  // --- places ---------------------------------------------------------------------------------------

  // In the colours of now; so are the lines of the ground.
  draw(cameras: MapCamera[], cells: CellCount[], wordsOfCell: (cell: CellCount) => string) {
    this.drawLines();
    this.dots.clearLayers();
    const most = Math.max(1, ...cells.map((cell) => cell.count));
    const warm = colour('heat-4');
    const size = cells.length > 200 ? 0.5 : 1;
    for (const cell of cells) this.drawCell(cell, size * (8 + 24 * Math.sqrt(cell.count / most)), warm, wordsOfCell(cell));
    const found = cameras.filter((camera) => camera.found);
    const others = cameras.filter((camera) => !camera.found);
    // Of thousands that are all found, none stands out, and small ones let the cells be seen.
    const crowded = cameras.length > 500;
    const plain: L.CircleMarkerOptions = { radius: crowded ? 2 : 3, stroke: false, fillColor: colour('text-faint'), fillOpacity: 0.6 };
    const marked: L.CircleMarkerOptions = {
      radius: crowded ? 4 : 5,
      color: colour('surface'),
      weight: 1,
      fillColor: colour('accent'),
      fillOpacity: 1,
    };
    for (const camera of others) this.drawCamera(camera, plain);
    for (const camera of found) this.drawCamera(camera, crowded && !others.length ? plain : marked);
  }

  private drawCell(cell: CellCount, radius: number, fillColor: string, words: string) {
    if (cell.lon === undefined || cell.lat === undefined) return;
    const dot: Dot = L.circleMarker([cell.lat, cell.lon], {
      radius,
      stroke: false,
      fillColor,
      fillOpacity: 0.5,
    });
    dot.words = words;
    dot.addTo(this.dots);
  }

  private drawCamera(camera: MapCamera, style: L.CircleMarkerOptions) {
    if (camera.lon === undefined || camera.lat === undefined) return;
    const dot: Dot = L.circleMarker([camera.lat, camera.lon], style);
    dot.camera = camera;
    dot.words = camera.name;
    dot.addTo(this.dots);
  }

  // Where these look.
  drawSectors(views: View[]) {
    this.sectors.clearLayers();
    for (const view of views) {
      const outline = sectorOf(view);
      if (outline) L.polygon(outline.map(place), { ...this.style('sectors'), weight: 1, fillOpacity: 0.18 }).addTo(this.sectors);
    }
  }

  // The camera whose row is chosen.
  select(view: View | undefined) {
    this.selected.clearLayers();
    if (view?.lon === undefined || view.lat === undefined) return;
    const outline = sectorOf(view);
    if (outline) L.polygon(outline.map(place), { ...this.style('selected', 'live'), fillOpacity: 0.2 }).addTo(this.selected);
    L.circleMarker([view.lat, view.lon], { ...this.style('selected', 'live'), radius: 9, weight: 3, fill: false }).addTo(this.selected);
    if (!this.map.getBounds().contains([view.lat, view.lon])) this.map.panTo([view.lat, view.lon]);
  }

  // All that there is, and the area.
  fit(cameras: MapCamera[], area: Area | undefined) {
    const points = cameras.flatMap(({ lon, lat }) => (lon === undefined || lat === undefined ? [] : [L.latLng(lat, lon)]));
    const bounds = L.latLngBounds(points);
    if (area) bounds.extend(this.boundsOf(area));
    if (bounds.isValid()) this.map.fitBounds(bounds.pad(0.06), { maxZoom: 17, animate: false });
  }

  private boundsOf(area: Area): L.LatLngBounds {
    const corners = (cornersOf(area) ?? []).map(place);
    return area.shape === 'near' ? L.latLng(corners[0]!).toBounds(2 * radiusOf(area)) : L.latLngBounds(corners);
  }

  // --- areas ----------------------------------------------------------------------------------------

  setArea(area: Area | undefined, sketch: Sketch | undefined) {
    this.sketch = sketch;
    this.box.classList.toggle('drawing', !!sketch);
    this.map.doubleClickZoom[sketch ? 'disable' : 'enable']();
    this.area.clearLayers();
    if (sketch) this.drawSketch();
    else if (area) this.drawArea(area);
  }

  // The points so far, and what they would make with one more.
  private drawSketch(next?: Point) {
    if (!this.sketch) return;
    this.area.clearLayers();
    const { sketch, area } = next ? addPoint(this.sketch, next) : { sketch: this.sketch, area: undefined };
    for (const point of this.sketch.points) L.circleMarker(place(point), { ...this.style('areas'), radius: 4, fillOpacity: 1 }).addTo(this.area);
    const whole = area ?? (this.sketch.shape === 'polygon' ? areaOf(sketch) : undefined);
    if (whole && whole.shape !== 'covers') this.drawArea(whole);
    else if (sketch.points.length > 1) L.polyline(sketch.points.map(place), this.style('areas')).addTo(this.area);
  }

  private drawArea(area: Area) {
    const corners = cornersOf(area);
    if (!corners) return;
    const style = { ...this.style('areas'), fillOpacity: 0.08 };
    if (area.shape === 'near') L.circle(place(corners[0]!), { ...style, radius: radiusOf(area) }).addTo(this.area);
    else if (area.shape === 'polygon') L.polygon(corners.map(place), style).addTo(this.area);
    else if (area.shape === 'covers') L.circleMarker(place(corners[0]!), { ...style, radius: 6, weight: 3, fillOpacity: 1 }).addTo(this.area);
    else {
      const { west, south, east, north } = edgesOf(corners);
      L.rectangle([[south, west], [north, east]], style).addTo(this.area);
    }
  }

  private style(pane: string, name = 'accent'): L.PathOptions {
    return { pane, renderer: this.rendererOf(pane), interactive: false, color: colour(name), weight: 2 };
  }

  // SVG in its own plane, whatever the cameras are drawn with.
  private readonly renderers = new Map<string, L.Renderer>();
  private rendererOf(pane: string): L.Renderer {
    const known = this.renderers.get(pane) ?? L.svg({ pane });
    this.renderers.set(pane, known);
    return known;
  }

  // --- the ground -----------------------------------------------------------------------------------

  private drawLines() {
    this.lines.clearLayers();
    const bounds = this.map.getBounds();
    const [west, east] = [bounds.getWest(), bounds.getEast()];
    const [south, north] = [Math.max(-85, bounds.getSouth()), Math.min(85, bounds.getNorth())];
    const step = stepFor(Math.max(east - west, 1e-6));
    const style = { ...this.style('ground', 'line'), weight: 1 };
    for (const lon of linesWithin(west, east, step)) {
      L.polyline([[south, lon], [north, lon]], style).addTo(this.lines);
      this.label([south, lon], `${lon}°`, 'lon', [-3, 16]);
    }
    for (const lat of linesWithin(south, north, step)) {
      L.polyline([[lat, west], [lat, east]], style).addTo(this.lines);
      this.label([lat, east], `${lat}°`, 'lat', [63, 16]);
    }
  }

  private label(at: L.LatLngTuple, text: string, of: 'lon' | 'lat', anchor: L.PointTuple) {
    const icon = L.divIcon({ className: `degrees ${of}`, html: text, iconSize: [60, 14], iconAnchor: anchor });
    L.marker(at, { icon, pane: 'ground', interactive: false, keyboard: false }).addTo(this.lines);
  }
}
