// The rules and dashboards as a mixin: the files of this repository, adjusted by _config.
// docs/alerts.md describes the settings, which are those of the chart.
{
  _config+:: {
    namespaceLabel: 'namespace',
    alerting: true,
    alertLabels: {},
    alertAnnotations: {},
    pagesUrl: '',
    thresholds: {},
    alerts: {},
  },

  local config = self._config,
  local renamed(text) =
    local label = config.namespaceLabel;
    std.strReplace(std.strReplace(text, 'namespace', label), label + '_selector', 'namespace_selector'),

  local source = std.parseYaml(renamed(importstr 'daemonset_exporter.rules.yaml')),
  local rules = std.flatMap(function(group) group.rules, source.groups),
  local isAlert(rule) = std.objectHas(rule, 'alert'),
  local isThreshold(rule) = !isAlert(rule) && std.startsWith(rule.expr, 'vector('),
  local threshold(rule) = std.split(rule.record, ':')[1],

  local known =
    [rule.alert for rule in rules if isAlert(rule)] + [threshold(rule) for rule in rules if isThreshold(rule)],
  local unknown = std.setDiff(std.set(std.objectFields(config.alerts) + std.objectFields(config.thresholds)), std.set(known)),
  assert unknown == [] : 'no alert or threshold has the name ' + std.join(' or ', unknown),

  local coverageUrl(rule) = if config.pagesUrl == '' || rule.labels.scope == 'exporter' then {} else {
    coverage_url: std.strReplace(
      renamed(std.stripChars(importstr 'coverage_url.tmpl', '\n')), 'PAGES_URL', std.rstripChars(config.pagesUrl, '/')
    ),
  },

  local settings(rule) = std.get(config.alerts, rule.alert, {}),
  local alert(rule) =
    local own = settings(rule);
    local given(key, name) = { [if std.objectHas(own, key) then name]: own[key] };
    rule + given('for', 'for') + given('keepFiringFor', 'keep_firing_for') + {
      labels+: config.alertLabels + std.get(own, 'labels', {}) + given('severity', 'severity'),
      annotations+: coverageUrl(rule) + config.alertAnnotations + std.get(own, 'annotations', {}) + given('runbookUrl', 'runbook_url'),
    },
  local record(rule) =
    if isThreshold(rule) && std.objectHas(config.thresholds, threshold(rule))
    then rule { expr: 'vector(%s)' % config.thresholds[threshold(rule)] }
    else rule,

  local groups(adjusted) = {
    groups+: [group { rules: adjusted(group.rules) } for group in source.groups if adjusted(group.rules) != []],
  },
  prometheusRules+:: groups(function(rules) [record(rule) for rule in rules if !isAlert(rule)]),
  prometheusAlerts+:: if config.alerting then groups(function(rules) [
    alert(rule)
    for rule in rules
    if isAlert(rule) && std.get(settings(rule), 'enabled', true)
  ]) else {},

  grafanaDashboards+:: {
    'daemonset-exporter-daemonset.json': std.parseJson(renamed(importstr '../dashboards/daemonset.json')),
    'daemonset-exporter-exporter.json': std.parseJson(renamed(importstr '../dashboards/exporter.json')),
    'daemonset-exporter-fleet.json': std.parseJson(renamed(importstr '../dashboards/fleet.json')),
    'daemonset-exporter-node.json': std.parseJson(renamed(importstr '../dashboards/node.json')),
  },
}
