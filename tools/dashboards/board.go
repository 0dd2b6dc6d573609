package main

import "github.com/grafana/grafana-foundation-sdk/go/dashboard"

// A board is a dashboard in the making. Panels are put down line by line.
type board struct {
	*dashboard.Dashboard

	y, id uint32
	row   *dashboard.RowPanel // the collapsed row that takes the next panels, if any
}

// newBoard returns a board without panels.
func newBoard(name, title, description string, variables ...dashboard.VariableModel) *board {
	return &board{Dashboard: &dashboard.Dashboard{
		Uid: new(uid(name)), Title: &title, Description: &description, Tags: []string{tag},
		// The oldest schema that has all that is used here, so that an old Grafana need
		// not guess; newer ones upgrade it.
		SchemaVersion: 39, Version: new(uint32(1)), Editable: new(true),
		GraphTooltip: new(dashboard.DashboardCursorSyncCrosshair),
		Time:         &dashboard.DashboardDashboardTime{From: "now-6h", To: "now"},
		Refresh:      new("1m"), Timezone: new("browser"),
		Templating: dashboard.DashboardDashboardTemplating{List: append([]dashboard.VariableModel{sourceVariable()}, variables...)},
		Links:      []dashboard.DashboardLink{otherBoards()},
	}}
}

// oneCluster reports whether the board is about one cluster at a time. It must be compared
// and not matched then: in a regular expression the dot in its name would stand for
// anything, and Grafana escapes it only for variables that can have several values.
func (b *board) oneCluster() bool {
	for _, v := range b.Templating.List {
		if v.Name == "cluster" {
			return !*v.IncludeAll
		}
	}
	return false
}

// line puts panels side by side, all of one height.
func (b *board) line(height uint32, panels ...*dashboard.Panel) {
	x := uint32(0)
	for _, p := range panels {
		b.id++
		p.Id = new(b.id)
		p.GridPos.X, p.GridPos.Y, p.GridPos.H = x, b.y, height
		x += p.GridPos.W
		if b.row != nil {
			b.row.Panels = append(b.row.Panels, *p)
			continue
		}
		b.Panels = append(b.Panels, dashboard.PanelOrRowPanel{Panel: p})
	}
	b.y += height
}

// section begins a row with a title. A collapsed one holds the panels that follow, and
// asks nothing of Prometheus until it is opened.
func (b *board) section(title string, collapsed bool) {
	b.id++
	row := &dashboard.RowPanel{
		Type: "row", Title: &title, Collapsed: collapsed, Id: b.id, Panels: []dashboard.Panel{},
		GridPos: &dashboard.GridPos{Y: b.y, W: 24, H: 1},
	}
	b.y++
	b.Panels = append(b.Panels, dashboard.PanelOrRowPanel{RowPanel: row})
	b.row = nil
	if collapsed {
		b.row = row
	}
}

// annotate adds marks to all graphs that have an axis of values. Over timelines they
// would hide what is shown.
func (b *board) annotate(all ...dashboard.AnnotationQuery) {
	var without []uint8
	for _, p := range b.Panels {
		if p.Panel != nil && (p.Panel.Type == "state-timeline" || p.Panel.Type == "status-history") {
			without = append(without, uint8(*p.Panel.Id))
		}
	}
	for _, a := range all {
		a.Filter = &dashboard.AnnotationPanelFilter{Exclude: new(true), Ids: without}
		b.Annotations.List = append(b.Annotations.List, a)
	}
}
