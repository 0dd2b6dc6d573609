package cli

import (
	"slices"
	"text/template"

	"github.com/alecthomas/kingpin/v2"
)

// SetUsage sets how the application prints its help.
func SetUsage(app *kingpin.Application) {
	app.UsageTemplate(usageTemplate).UsageFuncs(template.FuncMap{"WithDefault": withDefault})
}

// usageTemplate shows the flags of the default command where none is selected, and each
// command in one line.
const usageTemplate = `{{define "Arguments"}}{{range .Args}} {{if not .Required}}[{{end}}<{{.Name}}>{{if .Value|IsCumulative}}...{{end}}{{if not .Required}}]{{end}}{{end}}{{end -}}
{{if .Context.SelectedCommand -}}
usage: {{.App.Name}} {{.Context.SelectedCommand}} [<flags>]{{template "Arguments" .Context.SelectedCommand}}

{{.Context.SelectedCommand.Help|Wrap 0}}
{{else -}}
usage: {{.App.Name}} [<command>] [<flags>]

{{.App.Help|Wrap 0}}
{{end -}}
Flags:
{{WithDefault .App .Context.SelectedCommand .Context.Flags|FlagsToTwoColumns|FormatTwoColumns}}
{{- if .Context.Args}}
Args:
{{.Context.Args|ArgsToTwoColumns|FormatTwoColumns}}
{{- end}}
{{- if not .Context.SelectedCommand}}
Commands:
{{range .App.Commands}}{{if not .Hidden}}  {{.FullCommand}}{{if .Default}}*{{end}}
{{.Help|Wrap 4}}{{end}}{{end -}}
{{end -}}
`

// withDefault returns flags, with those of the default command where none is selected.
func withDefault(app *kingpin.ApplicationModel, selected *kingpin.CmdModel, flags []*kingpin.FlagModel) []*kingpin.FlagModel {
	if selected != nil {
		return flags
	}
	for _, command := range app.Commands {
		if command.Default {
			return slices.Concat(flags, command.Flags)
		}
	}
	return flags
}
