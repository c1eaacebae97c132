#include "CDocuments.h"

// C23's #embed: the compiler takes the bytes as they are. A Swift array literal of the same bytes takes it a minute.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char openapi[] = {
#embed "openapi.json"
};

static const unsigned char asyncapi[] = {
#embed "asyncapi.json"
};

static const unsigned char page[] = {
#embed "docs.html"
};

Document document_openapi(void) { return (Document){openapi, sizeof openapi}; }

Document document_asyncapi(void) { return (Document){asyncapi, sizeof asyncapi}; }

Document document_page(void) { return (Document){page, sizeof page}; }
