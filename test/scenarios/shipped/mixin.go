package shipped

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/google/go-jsonnet"
)

// MixinFile is the mixin.
const MixinFile = "alerts/mixin.libsonnet"

// Mixin is what the mixin makes of settings.
type Mixin struct {
	// Alerts and Records are rule files.
	Alerts  Rules `json:"alerts"`
	Records Rules `json:"records"`
	// Dashboards are those of Grafana, by file name.
	Dashboards map[string]any `json:"dashboards"`
}

// RenderMixin returns what the mixin of a repository makes of settings for _config, nil
// for none.
func RenderMixin(root string, settings map[string]any) (*Mixin, error) {
	if settings == nil {
		settings = map[string]any{}
	}
	config, err := json.Marshal(settings)
	if err != nil {
		return nil, fmt.Errorf("settings of the mixin: %w", err)
	}
	vm := jsonnet.MakeVM()
	vm.ExtCode("config", string(config))
	text, err := vm.EvaluateAnonymousSnippet("test.jsonnet", fmt.Sprintf(`
		local mixin = (import %q) { _config+:: std.extVar('config') };
		{ alerts: { groups: [] } + mixin.prometheusAlerts, records: mixin.prometheusRules, dashboards: mixin.grafanaDashboards }`, filepath.Join(root, MixinFile)))
	if err != nil {
		return nil, fmt.Errorf("render %s: %w", MixinFile, err)
	}
	var mixin Mixin
	if err := json.Unmarshal([]byte(text), &mixin); err != nil {
		return nil, fmt.Errorf("read what %s makes: %w", MixinFile, err)
	}
	return &mixin, nil
}

// Both returns alerts and records in one rule file, in the order of a rule file: no group
// has both.
func (m *Mixin) Both(order *Rules) *Rules {
	groups := map[string][]Group{}
	for _, group := range append(m.Records.Groups, m.Alerts.Groups...) {
		groups[group.Name] = append(groups[group.Name], group)
	}
	var both Rules
	for _, group := range order.Groups {
		both.Groups = append(both.Groups, groups[group.Name]...)
	}
	return &both
}
