package server_test

import (
	"math"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

// leastContrast is what WCAG 2.2 asks of text, level AA (1.4.3).
const leastContrast = 4.5

// Text and its background in the style of the pages, by their names there.
var onBackground = [][2]string{
	{"text", "back"},
	{"text", "head"},
	{"soft", "back"},
	{"soft", "head"},
	{"link", "back"},
	{"link", "head"},
	{"good", "back"},
	{"gap", "gap-back"},
	{"out", "out-back"},
	{"soft", "gap-back"},
	{"soft", "out-back"},
}

func TestContrast(t *testing.T) {
	t.Parallel()
	style := string(check.Must(os.ReadFile("web/style.css"))(t))
	light, dark, found := strings.Cut(style, "prefers-color-scheme: dark")
	check.Require(t, found, "there is no dark scheme")
	// What the dark scheme does not set is as in the light one.
	lightColors := colorsOf(t, light)
	darkColors := colorsOf(t, light+dark)
	for scheme, colors := range map[string]map[string]float64{"light": lightColors, "dark": darkColors} {
		for _, pair := range onBackground {
			text, back := colors[pair[0]], colors[pair[1]]
			contrast := (math.Max(text, back) + 0.05) / (math.Min(text, back) + 0.05)
			check.That(t, contrast >= leastContrast, "%s: %s on %s has the contrast %.2f, want %.1f", scheme, pair[0], pair[1], contrast, leastContrast)
		}
	}
	check.That(t, lightColors["back"] > 0.5 && darkColors["back"] < 0.5, "the schemes are not light and dark: %v, %v", lightColors, darkColors)
}

var (
	colorPattern = regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{3,6});`)
	fieldPattern = regexp.MustCompile(`<(?:select|input)[^>]*>`)
	idPattern    = regexp.MustCompile(` id="([^"]+)"`)
)

// colorsOf returns the luminance of each color that a style names, as WCAG defines it; the
// last one counts.
func colorsOf(t *testing.T, style string) map[string]float64 {
	t.Helper()
	colors := map[string]float64{}
	for _, found := range colorPattern.FindAllStringSubmatch(style, -1) {
		digits := found[2]
		if len(digits) == 3 {
			digits = strings.Repeat(digits[:1], 2) + strings.Repeat(digits[1:2], 2) + strings.Repeat(digits[2:], 2)
		}
		luminance := 0.0
		for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
			part := float64(check.Must(strconv.ParseUint(digits[2*i:2*i+2], 16, 8))(t)) / 255
			if part <= 0.04045 {
				part /= 12.92
			} else {
				part = math.Pow((part+0.055)/1.055, 2.4)
			}
			luminance += weight * part
		}
		colors[found[1]] = luminance
	}
	for _, pair := range onBackground {
		for _, name := range pair {
			_, ok := colors[name]
			check.Require(t, ok, "the style has no color %s", name)
		}
	}
	return colors
}

// Screen readers and keyboards need names of fields, of columns and rows, a language and a
// title.
func TestAccessibility(t *testing.T) {
	t.Parallel()
	url := serve(t, withPages(t, true, exampleCluster()...))
	for _, path := range []string{"/coverage", "/coverage?all=1", "/explain?daemonset=default/agent&node=dead"} {
		page := ask(t, http.MethodGet, url+path).text
		check.That(t, strings.Contains(page, `<html lang="en">`) && regexp.MustCompile(`<title>[^<]+</title>`).MatchString(page), "%s has no language or no title", path)
		check.Equal(t, strings.Count(page, "<h1"), 1, path)
		for _, field := range fieldPattern.FindAllString(page, -1) {
			id := idPattern.FindStringSubmatch(field)
			if id == nil && strings.Contains(field, `type="hidden"`) {
				continue
			}
			check.That(t, id != nil && strings.Contains(page, `<label for="`+id[1]+`">`), "%s: %s has no label", path, field)
		}
		for _, header := range regexp.MustCompile(`<th[ >][^>]*`).FindAllString(page, -1) {
			check.That(t, strings.Contains(header, `scope="`), "%s: %s> has no scope", path, header)
		}
		check.That(t, !strings.Contains(page, "<table") || strings.Contains(page, "<caption>"), "%s: a table has no caption", path)
	}
}
