package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kingpin/v2"
	"sigs.k8s.io/yaml"
)

// The output formats.
const (
	formatTable = "table"
	formatWide  = "wide"
	formatJSON  = "json"
	formatYAML  = "yaml"
)

// outputFlags select how to print.
type outputFlags struct {
	format    string
	noHeaders bool
}

func (f *outputFlags) register(command *kingpin.CmdClause) {
	formats := []string{formatTable, formatWide, formatJSON, formatYAML}
	flag(command, "output", "Output format. One of: ["+strings.Join(formats, ", ")+"]").Short('o').Default(formatTable).HintOptions(formats...).EnumVar(&f.format, formats...)
	flag(command, "no-headers", "Print no headers of columns.").BoolVar(&f.noHeaders)
}

// print prints a value: as JSON or YAML, or by what text writes.
func (f *outputFlags) print(env *Environment, value any, text func(p *printer)) error {
	switch f.format {
	case formatJSON:
		encoder := json.NewEncoder(env.Out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(value)
	case formatYAML:
		out, err := yaml.Marshal(value)
		if err == nil {
			_, err = env.Out.Write(out)
		}
		return err
	default:
		p := &printer{wide: f.format == formatWide, headers: !f.noHeaders, colour: env.OutTerminal && !env.NoColor}
		text(p)
		_, err := io.WriteString(env.Out, p.text.String())
		return err
	}
}

// printer writes text and tables.
type printer struct {
	text          strings.Builder
	wide, headers bool
	colour        bool
}

// colour is a colour of a terminal.
type colour string

// The colours.
const (
	red    colour = "\x1b[31m"
	yellow colour = "\x1b[33m"
	green  colour = "\x1b[32m"
	bold   colour = "\x1b[1m"
	plain  colour = "\x1b[0m"
)

// in returns text in a colour, where colours are wanted.
func (p *printer) in(c colour, text string) string {
	if !p.colour || c == plain {
		return text
	}
	return string(c) + text + string(plain)
}

func (p *printer) line(format string, args ...any) { fmt.Fprintf(&p.text, format+"\n", args...) }

// table prints rows in columns. Headers that begin with "+" are of wide output only.
func (p *printer) table(headers []string, rows [][]string) {
	writer := tabwriter.NewWriter(&p.text, 0, 8, 3, ' ', 0)
	keep := func(cells []string) []string {
		var kept []string
		for i, cell := range cells {
			if p.wide || !strings.HasPrefix(headers[i], "+") {
				kept = append(kept, strings.TrimPrefix(cell, "+"))
			}
		}
		return kept
	}
	if p.headers {
		_, _ = fmt.Fprintln(writer, strings.Join(keep(headers), "\t"))
	}
	for _, row := range rows {
		_, _ = fmt.Fprintln(writer, strings.Join(keep(row), "\t"))
	}
	_ = writer.Flush() // a strings.Builder takes everything
}
