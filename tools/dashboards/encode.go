package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"regexp"
)

// defaultNamespaceLabel is the label with the namespace of a DaemonSet.
const defaultNamespaceLabel = "namespace"

// namespaceWord matches the label wherever a board names it: in queries, legends, links
// and columns, and as the variable. Nothing else on a board is that word.
var namespaceWord = regexp.MustCompile(`\bnamespace\b`)

// encode returns the board as JSON.
func (b *board) encode(namespaceLabel string) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(b.Dashboard); err != nil {
		return nil, err
	}
	text := idList.ReplaceAllFunc(out.Bytes(), numbers)
	if b.oneCluster() {
		text = bytes.ReplaceAll(text, []byte(`cluster=~\"$cluster\"`), []byte(`cluster=\"$cluster\"`))
		// Not every table has the column, and not every series the label.
		for _, cluster := range []string{ofRow, ofSeries(dataLink{URL: ofRow}).URL} {
			text = bytes.ReplaceAll(text, []byte(cluster), []byte("${cluster:queryparam}"))
		}
	}
	return namespaceWord.ReplaceAll(text, []byte(namespaceLabel)), nil
}

// idList matches the panels of an annotation. The SDK declares them as bytes, which
// encoding/json writes as base64, and Grafana wants numbers.
var idList = regexp.MustCompile(`"ids": ("[^"]*"|null)`)

// numbers rewrites a match of idList.
func numbers(match []byte) []byte {
	encoded := bytes.Trim(bytes.TrimPrefix(match, []byte(`"ids": `)), `"`)
	ids := []int{}
	if decoded, err := base64.StdEncoding.DecodeString(string(encoded)); err == nil {
		for _, id := range decoded {
			ids = append(ids, int(id))
		}
	}
	list, _ := json.Marshal(ids) // numbers have no errors
	return append([]byte(`"ids": `), list...)
}
