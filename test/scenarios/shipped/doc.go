// Package shipped reads what users install beside the exporter: alert rules,
// dashboards and runbooks. Its tests check them against the table of metrics; the
// scenarios run them.
package shipped
