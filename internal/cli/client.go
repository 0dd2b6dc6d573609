package cli

import (
	"github.com/alecthomas/kingpin/v2"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
)

// clientFlags select the cluster and the namespaces, as those of kubectl do.
type clientFlags struct {
	rules               ruleFlags
	kubeconfig, context string
	namespace           string
	allNamespaces       bool
}

func (f *clientFlags) register(command *kingpin.CmdClause) {
	flag(command, "namespace", "Namespace of the DaemonSets. If unset: that of the context.").Short('n').PlaceHolder("NAME").StringVar(&f.namespace)
	flag(command, "all-namespaces", "All namespaces.").Short('A').BoolVar(&f.allNamespaces)
	flag(command, "context", "Context of the kubeconfig. If unset: its current context.").PlaceHolder("NAME").StringVar(&f.context)
	flag(command, "kubeconfig", "Path to a kubeconfig file. If unset: $KUBECONFIG, then ~/.kube/config.").PlaceHolder("PATH").StringVar(&f.kubeconfig)
	f.rules.register(command)
}

// flag adds a flag that no environment variable sets: those are the exporter's.
func flag(command *kingpin.CmdClause, name, help string) *kingpin.FlagClause {
	return command.Flag(name, help).NoEnvar()
}

func (f *clientFlags) options(env *Environment) informers.ClientOptions {
	return informers.ClientOptions{Kubeconfig: f.kubeconfig, Context: f.context, UserAgent: env.UserAgent}
}

// namespaces returns the namespaces to read; none for all.
func (f *clientFlags) namespaces(env *Environment) ([]string, error) {
	switch {
	case f.allNamespaces:
		return nil, nil
	case f.namespace != "":
		return []string{f.namespace}, nil
	}
	namespace, err := informers.DefaultNamespace(f.options(env))
	if err != nil {
		return nil, err
	}
	return []string{namespace}, nil
}
