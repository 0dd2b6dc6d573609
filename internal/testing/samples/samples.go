// Package samples reads the text format of metrics, for tests.
package samples

import (
	"strconv"
	"strings"
)

// Samples holds values by series, in the text format: the name, then the labels in
// alphabetical order.
type Samples map[string]float64

// Parse parses samples in the text format. It panics at what is none.
func Parse(text string) Samples {
	all := Samples{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		space := strings.LastIndex(line, " ")
		if space < 0 {
			panic("no sample: " + line)
		}
		value, err := strconv.ParseFloat(line[space+1:], 64)
		if err != nil {
			panic("no sample: " + line)
		}
		all[line[:space]] += value
	}
	return all
}
