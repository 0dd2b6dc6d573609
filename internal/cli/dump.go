package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/go-kit/log"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/informers/files"
)

// dumpCommand writes what the exporter reads, and nothing else.
type dumpCommand struct {
	client clientFlags
	from   string
	given  bool
	file   string
}

func (c *dumpCommand) register(app *kingpin.Application, _ *Environment) *kingpin.CmdClause {
	command := app.Command("dump", "Write the nodes, DaemonSets and their pods as JSON, with only the fields that the exporter reads: no environment, command, image or annotation. For report --from, and to share. In all namespaces unless -n is set.")
	command.Arg("file", "File to write. If unset: standard output.").StringVar(&c.file)
	c.client.register(command)
	flag(command, "from", "Read files instead of a cluster (see report --from), to make them fit to be shared.").PlaceHolder("PATH").IsSetByUser(&c.given).StringVar(&c.from)
	return command
}

func (c *dumpCommand) run(ctx context.Context, env *Environment) (found bool, err error) {
	out := env.Out
	if c.file != "" {
		file, err := os.OpenFile(c.file, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err != nil {
			return false, usageError{err}
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		out = file
	}
	w := newDumpWriter(out, c.client.namespace)
	var at time.Time
	if !c.given {
		at = env.Clock.Now()
		err = c.dumpCluster(ctx, w, env)
	} else {
		at, err = c.dumpFiles(w, env)
	}
	if err != nil {
		return false, err
	}
	return false, w.end(at)
}

// dumpFiles dumps what is in files and returns when they were made.
func (c *dumpCommand) dumpFiles(w *dumpWriter, env *Environment) (time.Time, error) {
	contents, err := files.Read(pathOf(c.from), env.In, w.add)
	if err != nil {
		return time.Time{}, err
	}
	return contents.Time, nil
}

// dumpCluster dumps what is in the cluster.
func (c *dumpCommand) dumpCluster(ctx context.Context, w *dumpWriter, env *Environment) error {
	config, err := informers.LoadConfig(c.client.options(env))
	if err != nil {
		return err
	}
	objects, err := informers.NewObjects(config)
	if err != nil {
		return err
	}
	namespace := c.client.namespace
	namespaces := map[string]bool{}
	err = errors.Join(
		objects.EachNode(ctx, func(o *corev1.Node) error { return w.add(o) }),
		objects.EachDaemonSet(ctx, namespace, func(o *appsv1.DaemonSet) error { namespaces[o.Namespace] = true; return w.add(o) }),
		objects.EachPod(ctx, namespace, func(o *corev1.Pod) error { return w.add(o) }),
	)
	if err != nil {
		return err
	}
	if err := objects.EachRevision(ctx, namespace, func(o *appsv1.ControllerRevision) error { return w.add(o) }); err != nil && !forbidden(err) {
		return err
	}
	selecting, err := informers.NewNamespaces(config, false, log.NewNopLogger())
	if err != nil {
		return err
	}
	return w.addNamespaces(ctx, selecting, namespaces)
}

// forbidden reports whether an error is a missing permission. What is optional is left
// out then.
func forbidden(err error) bool {
	var failure *informers.RequestError
	return errors.As(err, &failure) && failure.Kind == informers.ErrorForbidden
}

// dumpWriter writes a List, an object a line.
type dumpWriter struct {
	out       *bufio.Writer
	namespace string
	count     int
}

func newDumpWriter(out io.Writer, namespace string) *dumpWriter {
	return &dumpWriter{out: bufio.NewWriterSize(out, 64<<10), namespace: namespace}
}

// add writes an object that files.Redact keeps.
func (w *dumpWriter) add(object any) error {
	redacted := files.Redact(object)
	if redacted == nil || w.namespace != "" && redacted.GetNamespace() != "" && redacted.GetNamespace() != w.namespace {
		return nil
	}
	text, err := json.Marshal(redacted)
	if err != nil {
		return err
	}
	separator := ",\n"
	if w.count == 0 {
		separator = "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[\n"
	}
	w.count++
	_, err = fmt.Fprintf(w.out, "%s%s", separator, text)
	return err
}

// addNamespaces writes the selectors of namespaces, where they select nodes.
func (w *dumpWriter) addNamespaces(ctx context.Context, from *informers.Namespaces, namespaces map[string]bool) error {
	names := make([]string, 0, len(namespaces))
	for name := range namespaces {
		names = append(names, name)
	}
	slices.Sort(names)
	selectors, err := from.NodeSelectors(ctx, names)
	if err != nil {
		return err
	}
	for _, name := range names {
		if selector := selectors[name]; selector != nil {
			annotations := map[string]string{informers.NodeSelectorAnnotation: selector.String()}
			if err := w.add(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: annotations}}); err != nil {
				return err
			}
		}
	}
	return nil
}

// end writes when the objects were read, and that all kinds were: a cluster without pods
// is no file without pods.
func (w *dumpWriter) end(at time.Time) error {
	if w.count == 0 {
		return errors.New("there is nothing to dump: no nodes, no DaemonSets")
	}
	_, err := fmt.Fprintf(w.out, "\n],\"time\":%q,\"resources\":[%q,%q,%q]}\n", at.UTC().Format(time.RFC3339Nano), informers.Nodes, informers.Pods, informers.DaemonSets)
	return errors.Join(err, w.out.Flush())
}

// notFound reports whether an error says that there is no such object.
func notFound(err error) bool {
	var failure *informers.RequestError
	return errors.As(err, &failure) && failure.Kind == informers.ErrorNotFound
}
