package files

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Take is called for each object that the exporter reads: a *corev1.Node, *corev1.Pod,
// *appsv1.DaemonSet, *appsv1.ControllerRevision, *corev1.Namespace or *Scheduler. It must
// not keep the object.
type Take func(object any) error

// Read calls take for each object in the files under a path, which is a file, a folder
// or "-" for standard input. Compressed files and tar archives are unpacked as they are
// read. It returns what there was beside objects.
func Read(path string, stdin io.Reader, take Take) (*Contents, error) {
	r := &reader{take: take, contents: newContents()}
	err := r.path(path, stdin)
	if err == nil && r.contents.documents == 0 {
		err = errors.New("there is no JSON or YAML in it")
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return r.contents, nil
}

// reader reads the objects of files.
type reader struct {
	take     Take
	contents *Contents
	// guess is the last decoder that fitted: objects come sorted by kind.
	guess *decoder
}

func (r *reader) path(path string, stdin io.Reader) error {
	if path == "-" {
		return r.packed("standard input", bufio.NewReaderSize(stdin, bufferSize))
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return r.file(path)
	}
	return filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || !relevant(name) {
			return err
		}
		if err := r.file(name); err != nil {
			r.skip(name, err)
		}
		return nil
	})
}

// bufferSize is how much is read at once.
const bufferSize = 256 << 10

func (r *reader) file(path string) error {
	file, err := os.Open(filepath.Clean(path))
	if err != nil {
		return err
	}
	err = r.packed(path, bufio.NewReaderSize(file, bufferSize))
	return errors.Join(err, file.Close())
}

// skip notes a file of many that cannot be read.
func (r *reader) skip(name string, err error) {
	r.contents.Skipped = append(r.contents.Skipped, fmt.Sprintf("%s: %v", name, err))
}

// packed reads what may be compressed, and may be an archive.
func (r *reader) packed(name string, in *bufio.Reader) error {
	if magic, _ := in.Peek(2); slices.Equal(magic, []byte{0x1f, 0x8b}) {
		unpacked, err := gzip.NewReader(in)
		if err != nil {
			return err
		}
		err = r.packed(strings.TrimSuffix(name, ".gz"), bufio.NewReaderSize(unpacked, bufferSize))
		return errors.Join(err, unpacked.Close())
	}
	if header, _ := in.Peek(tarMagic + 5); len(header) == tarMagic+5 && string(header[tarMagic:]) == "ustar" {
		return r.archive(in)
	}
	return r.documents(name, in)
}

// tarMagic is where a tar archive says that it is one.
const tarMagic = 257

func (r *reader) archive(in io.Reader) error {
	archive := tar.NewReader(in)
	for {
		header, err := archive.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case header.Typeflag != tar.TypeReg || !relevant(header.Name):
			continue
		}
		if err := r.packed(header.Name, bufio.NewReaderSize(archive, bufferSize)); err != nil {
			r.skip(header.Name, err)
		}
	}
}

// relevant reports whether a file of many may hold objects. Bundles are full of logs.
func relevant(name string) bool {
	name = strings.TrimSuffix(strings.ToLower(name), ".gz")
	return slices.Contains([]string{".json", ".yaml", ".yml", ".tar", ".tgz"}, filepath.Ext(name))
}

// maxObject is how large an object may be, ten times what etcd takes: who reads on has
// something else before him.
const maxObject = 16 << 20

var (
	errNeither  = errors.New("it is neither JSON nor YAML")
	errTooLarge = fmt.Errorf("it has an object of more than %d MiB: it is neither JSON nor YAML of Kubernetes", maxObject>>20)
)

// documents reads JSON or YAML.
func (r *reader) documents(name string, in *bufio.Reader) error {
	first, err := firstByte(in)
	switch {
	case errors.Is(err, io.EOF):
		return nil // an empty file
	case err != nil:
		return err
	case first == '{' || first == '[':
		return r.json(name, in)
	default:
		return r.yaml(name, in)
	}
}

// firstByte skips space and returns the byte that follows, which is still to be read.
func firstByte(in *bufio.Reader) (byte, error) {
	for {
		b, err := in.ReadByte()
		if err != nil {
			return 0, err
		}
		if !isSpace(b) {
			return b, in.UnreadByte()
		}
	}
}

func isSpace(b byte) bool { return b == ' ' || b == '\n' || b == '\t' || b == '\r' }
