package synthetic

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// The fields of every list in protobuf, and their wire type.
const (
	listMetaField  = 1<<3 | 2
	listItemsField = 2<<3 | 2
)

// page is the part of a collection in one list.
type page struct {
	from     *collection
	selected selection
	// first is the first index, limit the number of objects; 0 for all.
	first, limit int
	meta         metav1.ListMeta
	// size is the size of the encoded objects.
	size int
}

// errFull ends a page.
var errFull = errors.New("the page is full")

// list responds with a list. Each object is made twice, the first time for its length,
// which comes first in protobuf.
func (c *collection) list(w http.ResponseWriter, selected selection, version string, options *metav1.ListOptions) *apierrors.StatusError {
	p := page{from: c, selected: selected, limit: int(options.Limit), meta: metav1.ListMeta{ResourceVersion: version}}
	if options.Continue != "" {
		first, err := strconv.Atoi(options.Continue)
		if err != nil {
			return apierrors.NewBadRequest("continue is not from this server: " + options.Continue)
		}
		p.first = first
	}
	if err := p.measure(); err != nil {
		return apierrors.NewInternalError(err)
	}
	w.Header().Set("Content-Type", runtime.ContentTypeProtobuf)
	out := bufio.NewWriterSize(w, 1<<16)
	head := p.meta.Size()
	whole := 1 + varintLength(head) + head + p.size
	if err := c.envelope(out, c.kind+"List", whole, p.write); err == nil {
		_ = out.Flush() // the client may have disconnected
	}
	return nil
}

// each calls yield with the objects of the page.
func (p *page) each(yield func(made message) error) error {
	held := 0
	err := p.from.each(p.selected, p.first, func(index int, made message) error {
		if p.limit > 0 && held == p.limit {
			p.meta.Continue = strconv.Itoa(index)
			return errFull
		}
		held++
		return yield(made)
	})
	if errors.Is(err, errFull) {
		return nil
	}
	return err
}

// measure computes the size of the page and the start of the next one.
func (p *page) measure() error {
	return p.each(func(made message) error {
		size := made.Size()
		p.size += 1 + varintLength(size) + size
		return nil
	})
}

// write encodes the page without its envelope.
func (p *page) write(out io.Writer) (written int, err error) {
	var scratch []byte
	put := func(field byte, made message) error {
		size := made.Size()
		scratch = binary.AppendUvarint(append(scratch[:0], field), uint64(size))
		start := len(scratch)
		scratch = append(scratch, make([]byte, size)...)
		if _, err := made.MarshalToSizedBuffer(scratch[start:]); err != nil {
			return err
		}
		n, err := out.Write(scratch)
		written += n
		return err
	}
	if err := put(listMetaField, &p.meta); err != nil {
		return written, err
	}
	err = p.each(func(made message) error { return put(listItemsField, made) })
	return written, err
}

func varintLength(value int) int { return len(binary.AppendUvarint(nil, uint64(value))) }
