package shipped

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Dashboard is what the checks need of a Grafana dashboard.
type Dashboard struct {
	UID           string `json:"uid"`
	Title         string `json:"title"`
	SchemaVersion int    `json:"schemaVersion"`
	Templating    struct {
		List []Variable `json:"list"`
	} `json:"templating"`
	Panels []Panel `json:"panels"`
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
		} `json:"defaults"`
	} `json:"fieldConfig"`
	Targets []struct {
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

// Fill puts values into a query for its variables, as Grafana does. What
// Grafana itself knows gets a value that fits any range.
func Fill(query string, values map[string]string) string {
	pairs := []string{"$__rate_interval", "1m", "$__range", "5m", "$__interval", "15s"}
	for name, value := range values {
		pairs = append(pairs, "${"+name+"}", value, "$"+name, value)
	}
	return strings.NewReplacer(pairs...).Replace(query)
}
