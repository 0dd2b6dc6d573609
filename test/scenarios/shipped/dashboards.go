package shipped

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Dashboard is what the checks need of a Grafana dashboard.
type Dashboard struct {
	UID           string `json:"uid"`
	Title         string `json:"title"`
	SchemaVersion int    `json:"schemaVersion"`
	Templating    struct {
		List []Variable `json:"list"`
	} `json:"templating"`
	Panels      []Panel `json:"panels"`
	Annotations struct {
		List []struct {
			Name string `json:"name"`
			Expr string `json:"expr"`
		} `json:"list"`
	} `json:"annotations"`
}

// AllPanels returns the panels of a dashboard without its rows, but with what is in
// collapsed ones.
func (d *Dashboard) AllPanels() []Panel {
	var all []Panel
	for _, panel := range d.Panels {
		if panel.Type != "row" {
			all = append(all, panel)
		}
		all = append(all, panel.Panels...)
	}
	return all
}

// Words returns the numbers that a panel shows as words, by these, with hyphens for
// spaces.
func (p *Panel) Words() map[string]float64 {
	words := map[string]float64{}
	for _, mapping := range p.FieldConfig.Defaults.Mappings {
		for text, result := range mapping.Options {
			if number, err := strconv.ParseFloat(text, 64); err == nil {
				words[strings.ReplaceAll(result.Text, " ", "-")] = number
			}
		}
	}
	return words
}

// Variable is a template variable. Query is a string or an object.
type Variable struct {
	Name       string          `json:"name"`
	Type       string          `json:"type"`
	Query      json.RawMessage `json:"query"`
	Definition string          `json:"definition"`
}

// Panel is a panel, or a row between them.
type Panel struct {
	ID          int    `json:"id"`
	Type        string `json:"type"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Datasource  struct {
		UID string `json:"uid"`
	} `json:"datasource"`
	GridPos     struct{ X, Y, W, H int } `json:"gridPos"`
	FieldConfig struct {
		Defaults struct {
			Unit    string `json:"unit"`
			NoValue string `json:"noValue"`
			// Mappings give words for values.
			Mappings []struct {
				Options map[string]struct {
					Text string `json:"text"`
				} `json:"options"`
			} `json:"mappings"`
		} `json:"defaults"`
	} `json:"fieldConfig"`
	Panels  []Panel `json:"panels"` // of a collapsed row
	Targets []struct {
		RefID        string `json:"refId"`
		Instant      bool   `json:"instant"`
		Expr         string `json:"expr"`
		LegendFormat string `json:"legendFormat"`
		Datasource   struct {
			UID string `json:"uid"`
		} `json:"datasource"`
	} `json:"targets"`
}

// ReadDashboards reads all dashboards, by their file names.
func ReadDashboards(root string) (map[string]*Dashboard, error) {
	files, err := filepath.Glob(filepath.Join(root, Dashboards, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("look for dashboards: %w", err)
	}
	dashboards := map[string]*Dashboard{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read dashboard: %w", err)
		}
		var dashboard Dashboard
		if err := json.Unmarshal(content, &dashboard); err != nil {
			return nil, fmt.Errorf("read dashboard %s: %w", file, err)
		}
		dashboards[filepath.Base(file)] = &dashboard
	}
	return dashboards, nil
}

// Window is the interval and the range that Fill gives to queries.
type Window struct{ Interval, Range time.Duration }

// Fill puts values into a query for its variables, and its window, as Grafana does.
func Fill(query string, values map[string]string, w Window) string {
	pairs := []string{
		"$__rate_interval", seconds(4 * w.Interval), "$__range", seconds(w.Range),
		"$__interval_ms", strconv.FormatInt(w.Interval.Milliseconds(), 10), "$__interval", seconds(w.Interval),
	}
	for name, value := range values {
		pairs = append(pairs, "${"+name+"}", value, "$"+name, value)
	}
	return strings.NewReplacer(pairs...).Replace(query)
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d.Seconds())) + "s" }
