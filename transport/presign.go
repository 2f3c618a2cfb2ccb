package transport

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
)

// urlTTL is how long a presigned URL works.
const urlTTL = time.Hour

func (c *call) presign() error {
	id, err := c.imageID()
	if err != nil {
		return err
	}
	expires := c.c.Now().Add(urlTTL).Truncate(time.Second)
	url, ok, err := c.c.Pictures.PresignImage(c.ctx, c.p, id, urlTTL)
	if err != nil {
		return err
	}
	if !ok {
		if _, err := askImage[canvas.ImageReply](c, id, canvas.Look{}, actors.Once{}); err != nil {
			return err
		}
		url = c.base() + c.signedPath(c.p.Tenant, id, expires.Unix())
	}
	return c.answer(urlAnswer{URL: url, ExpiresAt: easel.At(expires)})
}

// base returns scheme and host under which the client reaches us.
func (c *call) base() string {
	switch {
	case c.c.PublicURL != "":
		return c.c.PublicURL
	case c.r.TLS != nil:
		return "https://" + c.r.Host
	default:
		return "http://" + c.r.Host
	}
}

func (a *API) signedPath(t easel.TenantID, image easel.ID, expires int64) string {
	e := strconv.FormatInt(expires, 10)
	return "/signed/" + string(t) + "/" + string(image) + "?expires=" + e + "&signature=" + a.signature(t, image, e)
}

// signature covers all that decides what is served; the method is GET or HEAD
// always.
func (a *API) signature(t easel.TenantID, image easel.ID, expires string) string {
	m := hmac.New(sha256.New, a.c.URLKey)
	m.Write([]byte("easel url 1\x00" + string(t) + "\x00" + string(image) + "\x00" + expires))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// signed serves an image to whoever has its URL.
func (c *call) signed() error {
	t, image := easel.TenantID(c.r.PathValue("tenant")), easel.ID(c.r.PathValue("image"))
	expires, signature := c.query["expires"], c.query["signature"]
	if len(expires) != 1 || len(signature) != 1 || len(c.query) != 2 ||
		!hmac.Equal([]byte(signature[0]), []byte(c.signature(t, image, expires[0]))) {
		return easel.Errorf(easel.CodeForbidden, "the URL was altered")
	}
	until, err := strconv.ParseInt(expires[0], 10, 64)
	if err != nil || c.c.Now().Unix() >= until {
		return easel.Errorf(easel.CodeForbidden, "the URL has expired")
	}
	if err := c.c.Auth.Admits(t); err != nil {
		return err
	}
	p := easel.Principal{Tenant: t, Role: easel.Viewer, Image: image, Expires: time.Unix(until, 0)}
	content, err := c.c.Pictures.Image(c.ctx, p, image)
	if err != nil {
		return err
	}
	return c.content(content, imageCache)
}
